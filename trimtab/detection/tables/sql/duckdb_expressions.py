"""SQL with functions of DuckDB's own, such as HISTOGRAM, for the profiles of its tables."""

from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.detection.profiles.distinct_count import SKETCH_HASH_DIGITS
from trimtab.detection.tables.sql.aggregates import (
    render_bin_digits,
    render_cell,
    render_hash_steps,
    render_moments,
    render_sketch_bits,
)
from trimtab.detection.tables.sql.column_request import (
    ColumnRequest,
    render_category,
    render_number,
    render_presence,
)
from trimtab.detection.tables.sql.statements import format_double, nest_selects, quote_texts

BIN_DIGIT_VALUES: Final = 256
"""How many numbers the two hexadecimal digits of a category's bin can make."""


def render_source(
    source: str, numeric: Sequence[ColumnRequest], categorical: Sequence[ColumnRequest]
) -> str:
    """Return the source with each column's numbers or categories, and the cells of its sketch."""
    columns = [f"{render_number(each)} AS {each.alias('number')}" for each in numeric]
    columns += [f"{render_presence(each)} AS {each.alias('presence')}" for each in numeric]
    columns += [f"{render_category(each)} AS {each.alias('category')}" for each in categorical]
    hash_steps = [render_hash_steps(each) for each in numeric if each.sketched]
    steps = [
        ", ".join(columns),
        *map(", ".join, zip(*hash_steps, strict=True)),
        ", ".join(_render_category_cells(categorical)),
    ]
    return nest_selects(steps, source)


def render_numeric_aggregates(request: ColumnRequest) -> Iterator[str]:
    """Yield the aggregates of a numeric column."""
    yield from render_moments(request)
    if request.edges:
        edges = f"CAST('{list(request.edges)}' AS DOUBLE[])"  # exact, and planned in no time
        yield f"HISTOGRAM({request.alias('number')}, {edges}) AS {request.alias('bins')}"
    if request.sketched:
        yield from _render_sketch(request)


def render_category_aggregates(request: ColumnRequest) -> Iterator[str]:
    """Yield the aggregates that count a column's categories: all, or those of `tallied`."""
    category = request.alias("category")
    yield f"COUNT({category}) AS {request.alias('value_count')}"
    counted = (
        category
        if request.tallied is None
        else f"CASE WHEN {_render_is_tallied(request)} THEN {category} END"
    )
    yield f"HISTOGRAM({counted}) AS {request.alias('tally')}"


def render_untallied_aggregates(request: ColumnRequest) -> Iterator[str]:
    """Yield the aggregates that count the categories beside those of `tallied` by their hash."""
    yield from _render_sketch(request)
    if request.others > 1:
        digits = f"CAST('{list(range(BIN_DIGIT_VALUES))}' AS DOUBLE[])"
        yield f"HISTOGRAM({request.alias('digits')}, {digits}) AS {request.alias('hashed')}"


def render_in_intervals(value: str, intervals: Sequence[tuple[float, float]]) -> str:
    """Return SQL that is true where the value lies in one of these (low, high], in order.

    It bisects: a few comparisons a value, where OR would make all of them.
    """
    if len(intervals) == 1:
        low, high = intervals[0]
        return f"{value} > {format_double(low)} AND {value} <= {format_double(high)}"
    half = len(intervals) // 2
    left = render_in_intervals(value, intervals[:half])
    right = render_in_intervals(value, intervals[half:])
    middle = format_double(intervals[half - 1][1])
    return f"CASE WHEN {value} <= {middle} THEN {left} ELSE {right} END"


def _render_sketch(request: ColumnRequest) -> Iterator[str]:
    aliases = request.alias("sketch_low"), request.alias("sketch_high")
    yield from render_sketch_bits(request.alias("cell"), aliases)


def _render_category_cells(categorical: Sequence[ColumnRequest]) -> Iterator[str]:
    for each in categorical:
        if each.tallied is None:
            continue
        category = each.alias("category")
        number = f"CAST(('0x' || SUBSTR(MD5({category}), 1, {SKETCH_HASH_DIGITS})) AS BIGINT)"
        hashed = f"(CAST({number} AS DOUBLE) / {format_double(16.0**SKETCH_HASH_DIGITS)})"
        yield f"{render_cell(hashed)} AS {each.alias('cell')}"
        digits = f"CAST(('0x' || {render_bin_digits(category)}) AS INTEGER)"
        untallied = f"CASE WHEN NOT ({_render_is_tallied(each)}) THEN CAST({digits} AS DOUBLE) END"
        yield f"{untallied} AS {each.alias('digits')}"


def _render_is_tallied(request: ColumnRequest) -> str:
    if not request.tallied:
        return "FALSE"
    return f"{request.alias('category')} IN ({quote_texts(request.tallied)})"
