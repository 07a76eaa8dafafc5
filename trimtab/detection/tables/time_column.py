"""The time of each row in SQL, and the rows of a span of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from trimtab.detection.tables.column_types import Stored, quoted, stored_as
from trimtab.detection.tables.files import DuckTable, UnreadableError


class Span(NamedTuple):
    """Rows whose time lies in [start, end); None for no bound. Naive times are read as UTC."""

    timestamp: str
    """Column with the time of each row: a date or a timestamp, or ISO 8601 text in a file."""
    start: datetime | None = None
    end: datetime | None = None


def time_of(table: DuckTable, span: Span) -> str:
    """SQL of each row's time; raises `UnreadableError` where the column is none of times."""
    kind = table.types.get(span.timestamp)
    if kind is None:
        there = ", ".join(table.types)
        msg = f"table {table.name} has no column {span.timestamp!r}; it has {there}"
        raise UnreadableError(msg)
    column = quoted(span.timestamp)
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS {'TIMESTAMPTZ' if _is_aware(kind) else 'TIMESTAMP'})"
    if stored_as(kind) is Stored.TEXT:
        return f"TRY_CAST({column} AS TIMESTAMP)"
    msg = (
        f"column {span.timestamp!r} of table {table.name} holds {kind} and no times:"
        " give a column of dates or timestamps, such as a view that casts it"
    )
    raise UnreadableError(msg)


def within(table: DuckTable, span: Span) -> DuckTable:
    """The table's rows in the span."""
    time = time_of(table, span)
    aware = _is_aware(table.types[span.timestamp])
    bounds = [(span.start, ">="), (span.end, "<")]
    conditions = [
        f"{time} {sign} {_literal(instant, aware=aware)}"
        for instant, sign in bounds
        if instant is not None
    ]
    if not conditions:
        return table
    rows = f"(SELECT * FROM {table.source} WHERE {' AND '.join(conditions)})"  # noqa: S608 - quoted names
    return replace(table, source=rows)


def _is_aware(kind: str) -> bool:
    """Whether a type has a zone; DuckDB calls that of nanoseconds TIMESTAMPTZ_NS."""
    return "WITH TIME ZONE" in kind or "TZ" in kind


def _literal(instant: datetime, *, aware: bool) -> str:
    utc = instant.astimezone(UTC) if instant.tzinfo else instant
    text = f"{utc:%Y-%m-%d %H:%M:%S.%f}"
    return f"TIMESTAMPTZ '{text}+00:00'" if aware else f"TIMESTAMP '{text}'"
