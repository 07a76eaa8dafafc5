"""SQL with functions that all engines have: one query counts bins and categories of all columns.

GROUPING SETS group the rows by each column in turn, in one scan.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.detection.profiles.distinct_count import SKETCH_HASH_DIGITS
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES
from trimtab.detection.tables.sql.aggregates import (
    render_bin_digits,
    render_cell,
    render_hash_steps,
    render_sketch_bits,
)
from trimtab.detection.tables.sql.column_request import (
    ColumnRequest,
    render_category,
    render_number,
    render_presence,
)
from trimtab.detection.tables.sql.statements import (
    build_select,
    format_double,
    nest_selects,
    quote_texts,
)

_GROUP_COLUMNS: Final = "which, bin, groups, once, sketch_low, sketch_high"


def render_engine_source(requests: Sequence[ColumnRequest], source: str) -> str:
    """Return the source with each column's values, presence, and the cells of its sketch."""
    numeric = [each for each in requests if each.is_numeric]
    presence = [f"{render_presence(each)} AS {each.alias('presence')}" for each in numeric]
    hash_steps = [render_hash_steps(each) for each in numeric if each.sketched]
    steps = [
        ", ".join([*_render_values(requests), *presence]),
        *map(", ".join, zip(*hash_steps, strict=True)),
    ]
    return nest_selects(steps, source)


def render_grouping(
    requests: Sequence[ColumnRequest], source: str, *, has_width_bucket: bool
) -> str:
    """Return the query that counts how often each bin and each category occurs.

    A row is a bin (`bin`) or a category (`category`) of the column with the index `which`, with its
    number of values (`n`). Of very many categories the most frequent have a row each, and the
    others one for each hash (`digits`).
    """
    categorical = [each for each in requests if not each.is_numeric]
    counts = _render_counts(requests, source, has_width_bucket=has_width_bucket)
    over = " OVER (PARTITION BY which)"
    ranked = build_select(
        [
            "*",
            "ROW_NUMBER() OVER (PARTITION BY which ORDER BY n DESC, category) AS frequency_rank",
            f"COUNT(*){over} AS groups",
            f"SUM(CASE WHEN n = 1 THEN 1 ELSE 0 END){over} AS once",
            f"{_render_category_cell()} AS cell",
        ],
        f"({counts}) AS counts",
    )
    sketched = build_select(
        ["*", *render_sketch_bits("cell", ("sketch_low", "sketch_high"), over=over)],
        f"({ranked}) AS ranked",
    )
    is_named = _render_is_named(categorical)
    split = build_select(
        [
            f"{_GROUP_COLUMNS}, n",
            f"CASE WHEN {is_named} THEN category END AS category",
            f"CASE WHEN NOT ({is_named}) THEN {render_bin_digits('category')} END AS digits",
        ],
        f"({sketched}) AS sketched",
    )
    keys = f"{_GROUP_COLUMNS}, category, digits"
    return build_select([keys, "SUM(n) AS n"], f"({split}) AS named_groups", group_by=keys)


def _render_counts(
    requests: Sequence[ColumnRequest], source: str, *, has_width_bucket: bool
) -> str:
    """Return the query whose rows are one bin or one category of one column, with its count."""
    numeric = [each for each in requests if each.is_numeric]
    categorical = [each for each in requests if not each.is_numeric]
    render_bin = _render_bin_by_width_bucket if has_width_bucket else _render_bin_by_comparisons
    bins = [
        f"CASE WHEN {each.alias('number')} IS NOT NULL THEN {render_bin(each)} END"
        f" AS {each.alias('bin')}"
        for each in numeric
    ]
    values = nest_selects([", ".join(_render_values(requests)), ", ".join(bins)], source)
    keys = [*(each.alias("bin") for each in numeric)]
    keys += [each.alias("category") for each in categorical]
    grouped = build_select(
        [*keys, "COUNT(*) AS n"],
        values,
        group_by=f"GROUPING SETS ({', '.join(f'({key})' for key in keys)})",
    )
    which = " ".join(
        f"WHEN {each.alias('bin' if each.is_numeric else 'category')} IS NOT NULL THEN {each.index}"
        for each in requests
    )
    return build_select(
        [
            f"CASE {which} END AS which",
            "n",
            f"{_render_first(numeric, 'bin', 'INTEGER')} AS bin",
            f"{_render_first(categorical, 'category', 'VARCHAR')} AS category",
        ],
        f"({grouped}) AS grouped",
    )


def _render_values(requests: Sequence[ColumnRequest]) -> Iterator[str]:
    for each in requests:
        if each.is_numeric:
            yield f"{render_number(each)} AS {each.alias('number')}"
        else:
            yield f"{render_category(each)} AS {each.alias('category')}"


def _render_first(requests: Sequence[ColumnRequest], part: str, type_name: str) -> str:
    """Return SQL of the first of these columns' aliases that is not NULL."""
    aliases = [each.alias(part) for each in requests]
    return f"COALESCE({', '.join([*aliases, f'CAST(NULL AS {type_name})'])})"


def _render_is_named(categorical: Sequence[ColumnRequest]) -> str:
    """Return SQL that is true for groups that keep a row of their own."""
    conditions = ["category IS NULL", f"frequency_rank <= {MAX_KNOWN_CATEGORIES + 1}"]
    for each in categorical:
        names = sorted({*(each.categories or ()), *(each.known or ())})
        if names:
            conditions.append(f"(which = {each.index} AND category IN ({quote_texts(names)}))")
    return " OR ".join(conditions)


def _render_category_cell() -> str:
    """Return SQL of the cell of a category's sketch.

    It adds up the hash digit by digit, because engines read hexadecimal numbers differently.
    """
    digits = [
        f"(STRPOS('0123456789abcdef', SUBSTR(MD5(category), {position}, 1)) - 1)"
        f" * {format_double(16.0**-position)}"
        for position in range(1, SKETCH_HASH_DIGITS + 1)
    ]
    cell = render_cell("(" + " + ".join(digits) + ")")
    return f"CASE WHEN category IS NOT NULL THEN {cell} END"


def _render_bin_by_comparisons(request: ColumnRequest) -> str:
    """Return SQL of a value's bin by nested comparisons: eight of them for 256 bins."""
    number = request.alias("number")

    def bisect(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        edge = format_double(request.edges[middle])
        left, right = bisect(low, middle), bisect(middle + 1, high)
        return f"CASE WHEN {number} <= {edge} THEN {left} ELSE {right} END"

    return bisect(0, len(request.edges))


def _render_bin_by_width_bucket(request: ColumnRequest) -> str:
    """Return SQL of a value's bin by PostgreSQL's function.

    Its bins are closed at the lower end and ours at the upper, so values and edges are negated.
    """
    if not request.edges:
        return "0"
    edges = ", ".join(format_double(-edge) for edge in reversed(request.edges))
    return f"{len(request.edges)} - WIDTH_BUCKET(-{request.alias('number')}, [{edges}])"
