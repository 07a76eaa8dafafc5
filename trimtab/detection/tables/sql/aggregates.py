"""SQL aggregates of a column that every engine has: moments, and the bits of its sketch."""

from collections.abc import Iterator
from typing import Final

from trimtab.detection.profiles.categories import BIN_HASH_DIGITS
from trimtab.detection.profiles.distinct_count import (
    CELL_LOG_FACTOR,
    FIRST_HASH_OFFSET,
    HASH_FACTOR,
    SECOND_HASH_OFFSET,
    SKETCH_CELLS,
    make_hash_grid,
)
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.sql.column_request import ColumnRequest
from trimtab.detection.tables.sql.statements import format_double, quote_name

_HALF: Final = SKETCH_CELLS // 2


def render_moments(request: ColumnRequest) -> Iterator[str]:
    """Yield the aggregates over the aliases `number` and `presence` of a numeric column."""
    number, column = request.alias("number"), request.column
    scaled = number if request.scale == 1.0 else f"{number} * {format_double(request.scale)}"
    yield f"COUNT(*) - COUNT({request.alias('presence')}) AS {request.alias('missing')}"
    yield f"COUNT({number}) AS {request.alias('value_count')}"
    yield f"AVG({scaled}) AS {request.alias('mean')}"
    yield f"STDDEV_POP({scaled}) AS {request.alias('std')}"
    yield f"MIN({number}) AS {request.alias('minimum')}"
    yield f"MAX({number}) AS {request.alias('maximum')}"
    bounds = [(column.minimum, "<"), (column.maximum, ">")]
    beyond = [
        f"{number} {sign} {format_double(bound)}" for bound, sign in bounds if bound is not None
    ]
    if beyond:
        outside = f"SUM(CASE WHEN {' OR '.join(beyond)} THEN 1 ELSE 0 END)"
        yield f"{outside} AS {request.alias('outside')}"


def render_filled_count(index: int, name: str, storage: StorageType = StorageType.OTHER) -> str:
    """Return the aggregate that counts a column's values; NaN is no value in a FLOAT column."""
    column = quote_name(name)
    if storage is StorageType.FLOAT:
        column = f"NULLIF({column}, CAST('NaN' AS DOUBLE))"
    return f"COUNT({column}) AS {name_filled_count(index)}"


def name_filled_count(index: int) -> str:
    """Return the alias under which `render_filled_count` counts the column at this position."""
    return f"trimtab_filled{index}"


def render_hash_steps(request: ColumnRequest) -> tuple[str, str, str]:
    """Return the steps from the alias `number` to `cell`, its cell in the sketch; a SELECT each.

    They compute what `distinct_count.sketch_numbers` does.
    """
    grid = make_hash_grid(request.hash_range)
    number, scaled, mixed = request.alias("number"), request.alias("scaled"), request.alias("mixed")
    fraction = f"({scaled} - FLOOR({scaled}))"
    # LEAST and GREATEST skip NULL, so NULL needs a condition of its own
    clipped = f"GREATEST(LEAST({number}, {format_double(grid.high)}), {format_double(grid.low)})"
    spread = f"({clipped} - {format_double(grid.origin)}) * {format_double(grid.factor)}"
    first, second = format_double(FIRST_HASH_OFFSET), format_double(SECOND_HASH_OFFSET)
    factor = format_double(HASH_FACTOR)
    return (
        f"CASE WHEN {number} IS NOT NULL THEN {spread} END AS {scaled}",
        f"({fraction} + {first}) * ({fraction} + {second}) * {factor} AS {mixed}",
        f"{render_cell(f'({mixed} - FLOOR({mixed}))')} AS {request.alias('cell')}",
    )


def render_cell(hashed: str) -> str:
    """Return SQL of the sketch's cell of a hash in [0, 1)."""
    steps = f"FLOOR(LN({format_double(1.0)} - {hashed}) * {format_double(CELL_LOG_FACTOR)})"
    cell = f"CAST(LEAST({steps}, {format_double(SKETCH_CELLS - 1.0)}) AS INTEGER)"
    return f"CASE WHEN {hashed} IS NOT NULL THEN {cell} END"


def render_sketch_bits(cell: str, aliases: tuple[str, str], *, over: str = "") -> Iterator[str]:
    """Yield the aggregates of a sketch's two words of 62 bits, from the column of cells.

    `over` makes window functions of them.
    """
    one = "CAST(1 AS BIGINT)"
    low = f"CASE WHEN {cell} < {_HALF} THEN {one} << {cell} END"
    high = f"CASE WHEN {cell} >= {_HALF} THEN {one} << ({cell} - {_HALF}) END"
    yield f"BIT_OR({low}){over} AS {aliases[0]}"
    yield f"BIT_OR({high}){over} AS {aliases[1]}"


def render_bin_digits(category: str) -> str:
    """Return SQL of the hexadecimal digits by which a category without a name gets its bin."""
    start, count = BIN_HASH_DIGITS
    return f"SUBSTR(MD5({category}), {start}, {count})"
