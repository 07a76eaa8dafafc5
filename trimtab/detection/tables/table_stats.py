"""Aggregates of a whole DuckDB table: values per column, repeated rows, first and last time."""

from datetime import datetime

from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.profile_building import AggregateRow
from trimtab.detection.tables.row_sampling import SAMPLE_ROWS, render_row_hash
from trimtab.detection.tables.sql.aggregates import name_filled_count, render_filled_count
from trimtab.detection.tables.sql.statements import build_select
from trimtab.detection.tables.utc_times import convert_epoch_microseconds


def render_table_aggregates(table: DuckTable, time: str | None, rows: int) -> tuple[str, list[str]]:
    """Return the source to select from, and the aggregates over all of its columns.

    The source of a large table has hashes of some of its rows, to count repeats among these.
    """
    aggregates = [render_filled_count(index, name) for index, name in enumerate(table.types)]
    if time:
        aggregates.append(f"EPOCH_US(MIN({time})) AS oldest")
        aggregates.append(f"EPOCH_US(MAX({time})) AS newest")
    if rows <= SAMPLE_ROWS:
        return table.source, aggregates
    row_hash = render_row_hash(table)
    # a share of the rows, chosen by their content, so that repeats are chosen together
    chosen = f"CASE WHEN {row_hash} % {rows // SAMPLE_ROWS} = 0 THEN {row_hash} END"
    # COUNT(DISTINCT …) would keep all rows in memory: see duckdb_queries
    listed = "LIST(trimtab_row) FILTER (WHERE trimtab_row IS NOT NULL)"
    aggregates.append("COUNT(trimtab_row) AS hashed_rows")
    aggregates.append(f"COALESCE(LIST_UNIQUE({listed}), 0) AS distinct_rows")
    return f"({build_select(['*', f'{chosen} AS trimtab_row'], table.source)})", aggregates


def read_filled_counts(table: DuckTable, row: AggregateRow) -> dict[str, int]:
    """Return the number of rows with a value, by column."""
    return {name: int(row[name_filled_count(index)]) for index, name in enumerate(table.types)}


def read_time(row: AggregateRow, name: str) -> datetime | None:
    """Return the `oldest` or the `newest` time of the rows, or None if there is none."""
    microseconds = row.get(name)
    return None if microseconds is None else convert_epoch_microseconds(microseconds)
