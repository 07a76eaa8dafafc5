"""Infers a table's time range from its rows per day, ignoring outliers.

One query over the timestamp column, a group for each day: its result is as long as the table has
days, whatever its rows, and every engine can compute it.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple

from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.ibis_engine import TABLE_ALIAS, EngineTable
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.sql.statements import build_select, quote_name
from trimtab.detection.tables.time_column import filter_rows, render_time
from trimtab.detection.tables.utc_times import (
    MAX_DATETIME,
    MICROSECOND,
    convert_epoch_microseconds,
    convert_to_utc,
)

MAX_OUTLIER_SHARE: Final = 0.01
"""Share of the rows at either end that may be outliers, such as of 1970 or of 9999."""
MIN_OUTLIER_DISTANCE: Final = 0.5
"""How far from all other rows an outlier lies, as a share of the time that these cover."""
_DAY: Final = timedelta(days=1)


class DayCount(NamedTuple):
    """A day with rows."""

    first: datetime
    last: datetime
    rows: int


class DataPeriod(NamedTuple):
    """The time range of a table's rows, without outliers."""

    start: datetime
    newest: datetime
    end: datetime
    """Just after the newest row; a day after it where rows are dated by the day."""


def count_duckdb_days(table: DuckTable, where: RowFilter) -> list[DayCount]:
    """Return every day with rows in the range, in order; rows without a time are not counted."""
    times = build_select(f"{render_time(table, where)} AS t", filter_rows(table, where).source)
    query = build_select(
        "EPOCH_US(MIN(t)), EPOCH_US(MAX(t)), COUNT(*)",
        f"({times})",
        where="t IS NOT NULL",
        group_by=f"EPOCH_US(t) // {_DAY // MICROSECOND}",
        order_by="1",
    )
    found = table.connection.execute(query).fetchall()
    convert = convert_epoch_microseconds
    return [
        DayCount(convert(first), convert(last), int(rows))
        for first, last, rows in found
        if first is not None and last is not None  # they are for infinite times
    ]


def count_engine_days(table: EngineTable, where: RowFilter) -> list[DayCount]:
    """Return every day with rows in the table, in order; its column holds dates or timestamps."""
    column = quote_name(where.timestamp)
    query = build_select(
        f"MIN({column}) AS oldest, MAX({column}) AS newest, COUNT(*) AS n",
        TABLE_ALIAS,
        where=f"{column} IS NOT NULL",
        group_by=f"CAST({column} AS DATE)",
    )
    return sorted(
        DayCount(convert_to_utc(row["oldest"]), convert_to_utc(row["newest"]), int(row["n"]))
        for row in table.query(query)
    )


def infer_data_period(days: Sequence[DayCount]) -> DataPeriod:
    """Return the time range of these days, which are in order and at least one.

    Up to one row in a hundred at either end is an outlier where it lies far from all others.
    """
    core = _drop_rare_ends(days)
    reach = MIN_OUTLIER_DISTANCE * max(core[-1].last - core[0].first, _DAY)
    kept = [
        day
        for day in days
        if core[0].first - day.last <= reach and day.first - core[-1].last <= reach
    ]
    start, newest = kept[0].first, kept[-1].last
    step = _DAY if _are_dates(kept) else MICROSECOND
    return DataPeriod(start, newest, newest + min(step, MAX_DATETIME - newest))


def _drop_rare_ends(days: Sequence[DayCount]) -> Sequence[DayCount]:
    """Return the days without those at either end that together hold few enough rows."""
    most = MAX_OUTLIER_SHARE * sum(day.rows for day in days)
    first = _count_rare_days([day.rows for day in days], most)
    last = len(days) - _count_rare_days([day.rows for day in reversed(days)], most)
    return days[first:last]


def _count_rare_days(rows: Sequence[int], most: float) -> int:
    """Return how many of the first days together hold at most so many rows."""
    total = 0
    for index, count in enumerate(rows):
        total += count
        if total > most:
            return index
    return len(rows)


def _are_dates(days: Sequence[DayCount]) -> bool:
    """Return whether rows are dated by the day: all rows of a day have the same time.

    It need not be midnight in UTC, because it may be midnight elsewhere; for a single day it must.
    """
    is_single = len(days) == 1 and days[0].first.time() != time()
    return not is_single and all(day.first == day.last for day in days)
