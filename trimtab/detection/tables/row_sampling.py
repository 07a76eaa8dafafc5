"""Reads rows of a DuckDB table into memory: a sample of any, and all numbers of a small table.

Numbers in memory are profiled by `group_counts`, like those of a pandas table, and many times as
fast as by aggregates: an array is sorted once, and each bin is then a search in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from trimtab.detection.profiles.arrays import AnyArray, FloatArray, HashArray
from trimtab.detection.profiles.binning import BinEdges, choose_edges
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.profile_plan import ProfilePlan
from trimtab.detection.tables.sql.column_request import ColumnRequest, render_number
from trimtab.detection.tables.sql.statements import build_select, quote_name

SAMPLE_ROWS: Final = 100_000
"""Rows up to which a table is read at once. Of larger tables about as many rows are drawn to choose
bins, and about as many are compared to find repeats."""
MAX_COLUMNAR_ROWS: Final = 1_000_000
"""Rows up to which a table stored by columns is read, a few columns at a time."""
MAX_VALUES_IN_MEMORY: Final = 4_000_000
"""Numbers that are in memory at a time: 32 MB."""
TEXT_SAMPLE_ROWS: Final = 20_000
"""Rows that are drawn to find out what the texts of a column are."""
TEMPORARY_EDGES_PER_DECILE: Final = 24
"""Edges around each decile of a sample; the decile of all rows lies between two of them."""
_ROW_HASH: Final = "trimtab_row"

SampledValues = Mapping[str, AnyArray]
"""Values by alias."""


class InMemoryCounts(NamedTuple):
    """What was counted in a table that was read into memory."""

    columns: dict[int, ColumnProfile]
    """Profiles of the numeric columns, by their index in the query."""
    distinct_rows: int
    """Rows that differ from each other; 0 where that was not asked for."""


def fits_in_memory(table: DuckTable, rows: int) -> bool:
    """Return whether the numbers of a table of that many rows are read into memory."""
    return rows <= (MAX_COLUMNAR_ROWS if table.columnar else SAMPLE_ROWS)


def sample_values(
    table: DuckTable, expressions: Mapping[str, str], *, rows: int = TEXT_SAMPLE_ROWS
) -> SampledValues:
    """Return the values by alias, without NULL, of at most `rows` rows: the same rows each time."""
    sample = f"USING SAMPLE reservoir({rows} ROWS) REPEATABLE (1)"
    drawn = _read_values(table, expressions, sample)
    return {name: np.ma.MaskedArray(values).compressed() for name, values in drawn.items()}


def choose_sampled_edges(
    table: DuckTable, requests: Sequence[ColumnRequest], rows: int
) -> dict[int, BinEdges]:
    """Return edges from a sample, by column index, for numeric columns of a large table."""
    sample = f"USING SAMPLE {100 * SAMPLE_ROWS / rows:.9f}% (bernoulli, 1)"
    expressions = {each.alias("sample"): _render_number_or_nan(each) for each in requests}
    drawn = _read_values(table, expressions, sample)
    return {
        each.index: choose_edges(
            _select_finite(drawn[each.alias("sample")]), temporary=TEMPORARY_EDGES_PER_DECILE
        )
        for each in requests
    }


def profile_in_memory(
    table: DuckTable,
    requests: Sequence[ColumnRequest],
    plan: ProfilePlan,
    *,
    rows: int,
    filled: Mapping[str, int],
    count_distinct: bool,
) -> InMemoryCounts:
    """Read the numeric columns of a table with that many rows, and return their profiles.

    `filled` holds, by column, the rows with a value; `count_distinct` asks for distinct rows too.
    """
    profiles: dict[int, ColumnProfile] = {}
    columns_at_once = max(MAX_VALUES_IN_MEMORY // max(rows, 1), 1)
    distinct = 0
    for start in range(0, max(len(requests), int(count_distinct)), columns_at_once):
        group = requests[start : start + columns_at_once]
        expressions = {each.alias("sample"): _render_number_or_nan(each) for each in group}
        needs_hashes = count_distinct and not start
        if needs_hashes:
            expressions[_ROW_HASH] = render_row_hash(table)
        drawn = _read_values(table, expressions)
        if needs_hashes:
            distinct = _count_distinct(drawn[_ROW_HASH])
        for each in group:
            values = drawn[each.alias("sample")]
            profiles[each.index] = _profile_column(each, values, plan, filled)
    return InMemoryCounts(profiles, distinct)


def render_row_hash(table: DuckTable) -> str:
    """Return SQL of a hash for each row: the same for rows that are the same in every column."""
    return f"HASH({', '.join(map(quote_name, table.types))})"


def _profile_column(
    request: ColumnRequest, values: FloatArray, plan: ProfilePlan, filled: Mapping[str, int]
) -> ColumnProfile:
    finite = _select_finite(values)
    unreadable = filled.get(request.column.name, 0) - len(finite)
    if request.storage is StorageType.FLOAT:  # whose NaN count as filled
        unreadable = int(np.isinf(values).sum())
    return profile_numbers(
        finite,
        request.column,
        rows=len(values),
        unreadable=unreadable,
        like=plan.find_reference(request.column),
        sketched=request.sketched,
    )


def _count_distinct(hashes: HashArray) -> int:
    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(ordered), 1)


def _render_number_or_nan(request: ColumnRequest) -> str:
    """Return SQL of the column as a number, infinite ones included, and NaN where it has none."""
    number = render_number(replace(request, assume_finite=True))
    return f"COALESCE({number}, CAST('NaN' AS DOUBLE))"


def _select_finite(values: FloatArray) -> FloatArray:
    finite: FloatArray = values[np.isfinite(values)]
    return finite


def _read_values(
    table: DuckTable, expressions: Mapping[str, str], sample: str = ""
) -> Mapping[str, Any]:
    """Return the values by alias.

    The query uses aliases of its own: DuckDB renames columns that have hardly a name.
    """
    columns = [f"{sql} AS v{index}" for index, sql in enumerate(expressions.values())]
    query = build_select(columns, f"(FROM {table.source} {sample})")
    found = table.connection.execute(query).fetchnumpy()
    return {alias: found[f"v{index}"] for index, alias in enumerate(expressions)}
