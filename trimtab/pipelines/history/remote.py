"""Histories that stay in their engine, as Ibis tables: what is asked of them, and what is fetched.

Profiles, counts and first times are computed there. Rows come into memory for predictions and
learning only, and never more than 500,000 at a time: of more a random part.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard, Union

import pandas as pd

from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.ibis_engine import (
    EngineTable,
    filter_engine_rows,
    open_engine_table,
    translate_engine_errors,
)
from trimtab.detection.tables.profiling import profile_relation
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.pipelines.history.time_ranges import Span

if TYPE_CHECKING:
    import ibis

MOST_ROWS: Final = 500_000
"""Rows of a span that are brought into memory at most."""

_REASON: Final = Span(datetime(1700, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC))
"""Where times of rows are looked for: what pandas can hold."""

History: TypeAlias = Union[pd.DataFrame, "ibis.Table"]


def is_remote(history: History) -> "TypeGuard[ibis.Table]":
    """Whether the history is a table in an engine, rather than in memory."""
    return not isinstance(history, pd.DataFrame)


def fetch(history: "ibis.Table", spec: ModelSpec, span: Span) -> pd.DataFrame:
    """The rows of a span, or a random part of them where they are more than 500,000."""
    return _fetched(_within(history, spec, span))


def fetch_all(history: "ibis.Table", spec: ModelSpec) -> pd.DataFrame:
    """All rows, or a random part of them where they are more than 500,000."""
    return _fetched(_timed(history, spec))


def count_rows(history: "ibis.Table", spec: ModelSpec) -> int:
    """How many rows there are."""
    return _count(_timed(history, spec))


def extremes(history: "ibis.Table", spec: ModelSpec) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The times of the first and of the last row, UTC; NaT where there is none.

    Infinite times, which PostgreSQL knows, and what else is beyond reason pass for none.
    """
    inside = _within(history, spec, _REASON).table
    column = inside[spec.timestamp]
    table = EngineTable(inside.aggregate(first=column.min(), last=column.max()), {})
    row = table.query("SELECT * FROM trimtab_table")[0]
    first, last = (pd.to_datetime(row[name], utc=True) for name in ("first", "last"))
    return first, last


def count_windows(
    history: "ibis.Table", spec: ModelSpec, start: datetime
) -> tuple[dict[int, int], pd.Series]:
    """Rows of each window counted from `start`, and the times of the last rows."""
    first, last = extremes(history, spec)
    if pd.isna(first):
        return {}, pd.Series(dtype="datetime64[us, UTC]")
    table = _timed(history, spec)
    column = table.table[spec.timestamp].cast("timestamp")
    length = int(spec.window.total_seconds())
    place = ((column.epoch_seconds() - int(start.timestamp())) // length).name("place")
    counted = table.table.select(place).group_by("place").agg(rows=lambda each: each.count())
    found = EngineTable(counted, {}).query("SELECT place, rows FROM trimtab_table")
    end = last.to_pydatetime() + timedelta(microseconds=1)
    tail = fetch(history.select(spec.timestamp), spec, Span(end - spec.window, end))
    places = {int(row["place"]): int(row["rows"]) for row in found if row["place"] is not None}
    return places, pd.to_datetime(tail[spec.timestamp], utc=True)


def profile_remote(
    history: "ibis.Table",
    spec: ModelSpec,
    *,
    span: Span,
    predictions: ColumnProfile,
    labelled_until: datetime | None = None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Count the span's rows where they are; targets from `labelled_until` on are not known yet."""
    _timed(history, spec)
    watched = list_monitored_columns(spec)
    rows = RowFilter(spec.timestamp, span.start, span.end)
    roles = {role: [each for each in watched if each.role is role] for role in FeatureRole}
    try:
        features = profile_relation(
            history, roles[FeatureRole.FEATURE], like=like, where=rows, model=spec.name
        )
        until = max(span.start, min(labelled_until or span.end, span.end))
        targets = profile_relation(
            history, roles[FeatureRole.TARGET], like=like, where=rows._replace(end=until)
        )
    except UnreadableError as error:
        raise Refused(str(error)) from error
    return features.model_copy(
        update={"columns": (*features.columns, *targets.columns, predictions)}
    )


def _timed(history: "ibis.Table", spec: ModelSpec) -> EngineTable:
    table = open_engine_table(history)
    kind = table.types.get(spec.timestamp)
    if kind is None:
        msg = f"dataset {spec.dataset!r} has no column {spec.timestamp!r}; it has "
        raise Refused(msg + ", ".join(table.types))
    if kind is not StorageType.TIME:
        msg = (
            f"column {spec.timestamp!r} of dataset {spec.dataset!r} is stored as {kind}:"
            " a table in an engine needs a date or a timestamp there, such as a view that casts it"
        )
        raise Refused(msg)
    return table


def _within(history: "ibis.Table", spec: ModelSpec, span: Span) -> EngineTable:
    rows = RowFilter(spec.timestamp, span.start, span.end)
    return filter_engine_rows(_timed(history, spec), rows)


def _fetched(chosen: EngineTable) -> pd.DataFrame:
    count, table = _count(chosen), chosen.table
    if count > MOST_ROWS:
        import ibis  # noqa: PLC0415 - only where a table is Ibis's

        table = table.filter(ibis.random() < MOST_ROWS / count)
    backend = table.get_backend()
    with translate_engine_errors(table):
        if backend.name == "duckdb":
            frame: pd.DataFrame = backend.con.execute(backend.compile(table)).df()
            return frame
        return pd.DataFrame(table.to_pandas())


def _count(table: EngineTable) -> int:
    return int(table.query("SELECT COUNT(*) AS n FROM trimtab_table")[0]["n"])
