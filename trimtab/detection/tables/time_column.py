"""The time of each row of a DuckDB table as SQL, and the rows of a range of time."""

from dataclasses import replace
from datetime import UTC, datetime

from trimtab.detection.tables.column_types import StorageType, parse_duckdb_type
from trimtab.detection.tables.duckdb_table import DuckTable, UnreadableError
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.sql.statements import build_select, quote_name


def render_time(table: DuckTable, where: RowFilter) -> str:
    """Return SQL of each row's time; raise `UnreadableError` if the column does not hold times."""
    type_name = table.types.get(where.timestamp)
    if type_name is None:
        columns = ", ".join(table.types)
        msg = f"table {table.name} has no column {where.timestamp!r}; its columns are {columns}"
        raise UnreadableError(msg)
    column = quote_name(where.timestamp)
    if type_name.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS {'TIMESTAMPTZ' if _has_timezone(type_name) else 'TIMESTAMP'})"
    if parse_duckdb_type(type_name) is StorageType.TEXT:
        return f"TRY_CAST({column} AS TIMESTAMP)"
    msg = (
        f"column {where.timestamp!r} of table {table.name} holds {type_name}, not times:"
        " use a column of dates or timestamps, such as one of a view that casts it"
    )
    raise UnreadableError(msg)


def filter_rows(table: DuckTable, where: RowFilter) -> DuckTable:
    """Return the table with the rows of the range only."""
    time = render_time(table, where)
    aware = _has_timezone(table.types[where.timestamp])
    bounds = [(where.start, ">="), (where.end, "<")]
    conditions = [
        f"{time} {sign} {_render_timestamp(bound, aware=aware)}"
        for bound, sign in bounds
        if bound is not None
    ]
    if not conditions:
        return table
    return replace(table, source=f"({build_select('*', table.source, where=conditions)})")


def _has_timezone(type_name: str) -> bool:
    """Return whether a type has a zone; DuckDB calls that of nanoseconds TIMESTAMPTZ_NS."""
    return "WITH TIME ZONE" in type_name or "TZ" in type_name


def _render_timestamp(time: datetime, *, aware: bool) -> str:
    utc = time.astimezone(UTC) if time.tzinfo else time
    text = f"{utc:%Y-%m-%d %H:%M:%S.%f}"
    return f"TIMESTAMPTZ '{text}+00:00'" if aware else f"TIMESTAMP '{text}'"
