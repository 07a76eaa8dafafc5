"""Histories that stay in their engine, as Ibis tables: aggregate queries, and rows on demand.

Profiles, counts and first times are computed in the engine. Rows come into memory for predictions
and learning only, and never more than 500,000 at a time: of more, a random sample.
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
from trimtab.pipelines.history.time_ranges import TimeRange

if TYPE_CHECKING:
    import ibis

MAX_FETCHED_ROWS: Final = 500_000
"""Rows of a time range that are brought into memory at most."""

_REPRESENTABLE_TIMES: Final = TimeRange(
    datetime(1700, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)
)
"""Times of rows that count: those that pandas can hold."""

HistoryTable: TypeAlias = Union[pd.DataFrame, "ibis.Table"]
"""A model's history: in memory, or as a table in an engine."""


def is_remote(history: HistoryTable) -> "TypeGuard[ibis.Table]":
    """Return whether the history is a table in an engine."""
    return not isinstance(history, pd.DataFrame)


def fetch_rows(history: "ibis.Table", spec: ModelSpec, time_range: TimeRange) -> pd.DataFrame:
    """Return the rows of a time range, or a random sample if they are more than 500,000."""
    return _fetch_sample(_filter_range(history, spec, time_range))


def fetch_all_rows(history: "ibis.Table", spec: ModelSpec) -> pd.DataFrame:
    """Return all rows, or a random sample if they are more than 500,000."""
    return _fetch_sample(_open_table(history, spec))


def count_history_rows(history: "ibis.Table", spec: ModelSpec) -> int:
    """Return the number of rows."""
    return _count_table_rows(_open_table(history, spec))


def find_first_and_last_time(
    history: "ibis.Table", spec: ModelSpec
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the times of the first and last row in UTC; NaT if no row has a time.

    Infinite times, which PostgreSQL knows, and others that pandas cannot hold are ignored.
    """
    inside = _filter_range(history, spec, _REPRESENTABLE_TIMES).table
    column = inside[spec.timestamp]
    table = EngineTable(inside.aggregate(first=column.min(), last=column.max()), {})
    row = table.query("SELECT * FROM trimtab_table")[0]
    first, last = (pd.to_datetime(row[name], utc=True) for name in ("first", "last"))
    return first, last


def count_window_rows(
    history: "ibis.Table", spec: ModelSpec, start: datetime
) -> tuple[dict[int, int], "pd.Series[pd.Timestamp]"]:
    """Return the rows of each window by its index from `start`, and the times of the last rows."""
    first, last = find_first_and_last_time(history, spec)
    if pd.isna(first):
        return {}, pd.Series(dtype="datetime64[us, UTC]")
    table = _open_table(history, spec)
    column = table.table[spec.timestamp].cast("timestamp")
    length = int(spec.window.total_seconds())
    index = ((column.epoch_seconds() - int(start.timestamp())) // length).name("place")
    counted = table.table.select(index).group_by("place").agg(rows=lambda each: each.count())
    counts = EngineTable(counted, {}).query("SELECT place, rows FROM trimtab_table")
    end = last.to_pydatetime() + timedelta(microseconds=1)
    tail = fetch_rows(history.select(spec.timestamp), spec, TimeRange(end - spec.window, end))
    rows = {int(row["place"]): int(row["rows"]) for row in counts if row["place"] is not None}
    return rows, pd.to_datetime(tail[spec.timestamp], utc=True)


def profile_engine_rows(
    history: "ibis.Table",
    spec: ModelSpec,
    *,
    time_range: TimeRange,
    predictions: ColumnProfile,
    labelled_until: datetime | None = None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Profile a time range in the engine; targets from `labelled_until` on are not known yet."""
    _open_table(history, spec)
    monitored = list_monitored_columns(spec)
    rows = RowFilter(spec.timestamp, time_range.start, time_range.end)
    roles = {role: [each for each in monitored if each.role is role] for role in FeatureRole}
    try:
        features = profile_relation(
            history, roles[FeatureRole.FEATURE], like=like, where=rows, model=spec.name
        )
        labelled = min(labelled_until or time_range.end, time_range.end)
        until = max(time_range.start, labelled)
        targets = profile_relation(
            history, roles[FeatureRole.TARGET], like=like, where=rows._replace(end=until)
        )
    except UnreadableError as error:
        raise Refused(str(error)) from error
    return features.model_copy(
        update={"columns": (*features.columns, *targets.columns, predictions)}
    )


def _open_table(history: "ibis.Table", spec: ModelSpec) -> EngineTable:
    """Return the table; raises `Refused` unless it stores a date or timestamp as its time."""
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


def _filter_range(history: "ibis.Table", spec: ModelSpec, time_range: TimeRange) -> EngineTable:
    rows = RowFilter(spec.timestamp, time_range.start, time_range.end)
    return filter_engine_rows(_open_table(history, spec), rows)


def _fetch_sample(chosen: EngineTable) -> pd.DataFrame:
    count, table = _count_table_rows(chosen), chosen.table
    if count > MAX_FETCHED_ROWS:
        import ibis  # noqa: PLC0415 - slow to import, and needed for tables in an engine only

        table = table.filter(ibis.random() < MAX_FETCHED_ROWS / count)
    backend = table.get_backend()
    with translate_engine_errors(table):
        if backend.name == "duckdb":
            frame: pd.DataFrame = backend.con.execute(backend.compile(table)).df()
            return frame
        return pd.DataFrame(table.to_pandas())


def _count_table_rows(table: EngineTable) -> int:
    return int(table.query("SELECT COUNT(*) AS n FROM trimtab_table")[0]["n"])
