"""When the rows of a table are of, where nobody says it: counted by day, strays left out.

One query over the column of times, a group for each day: its answer is as long as the table has
days, whatever its rows, and every engine can give it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from trimtab.detection.tables.table_stats import LAST, TICK, instant
from trimtab.detection.tables.time_column import Span, time_of, within

if TYPE_CHECKING:
    from trimtab.detection.tables.files import DuckTable
    from trimtab.detection.tables.ibis_engine import EngineTable

STRAY_SHARE: Final = 0.01
"""Share of the rows at either end that may be strays, such as of 1970 or of 9999."""
NEAR: Final = 0.5
"""Part of the time in which all others lie within which no row is a stray."""
_DAY: Final = timedelta(days=1)


class Day(NamedTuple):
    """A day with rows."""

    first: datetime
    last: datetime
    rows: int


class Times(NamedTuple):
    """When the rows of a table are of, strays left out."""

    start: datetime
    newest: datetime
    end: datetime
    """Just after the newest row; of rows dated by the day, a day after it."""


def days_in_duck(table: "DuckTable", span: Span) -> list[Day]:
    """Every day with rows in the span, in order; rows without a time are not counted."""
    column = time_of(table, span)
    source = within(table, span).source
    found = table.connection.execute(
        f"SELECT EPOCH_US(MIN(t)), EPOCH_US(MAX(t)), COUNT(*)"  # noqa: S608 - quoted names
        f" FROM (SELECT {column} AS t FROM {source}) WHERE t IS NOT NULL"
        f" GROUP BY EPOCH_US(t) // {_DAY // TICK} ORDER BY 1"
    ).fetchall()
    days = [(instant(first), instant(last), int(rows)) for first, last, rows in found]
    return [Day(first, last, rows) for first, last, rows in days if first and last]


def days_in_engine(table: "EngineTable", span: Span) -> list[Day]:
    """The same of a table in an engine, whose column holds dates or timestamps."""
    from trimtab.detection.tables.column_types import quoted  # noqa: PLC0415 - as above
    from trimtab.detection.tables.ibis_engine import TABLE  # noqa: PLC0415 - for Ibis tables only

    column = quoted(span.timestamp)
    found = table.ask(
        f"SELECT MIN({column}) AS oldest, MAX({column}) AS newest, COUNT(*) AS n"  # noqa: S608 - quoted names
        f" FROM {TABLE} WHERE {column} IS NOT NULL GROUP BY CAST({column} AS DATE)"
    )
    return sorted(Day(_utc(row["oldest"]), _utc(row["newest"]), int(row["n"])) for row in found)


def times_of(days: Sequence[Day]) -> Times:
    """From the oldest row to just after the newest, of days in order, of which there must be one.

    Up to one row in a hundred at either end is left out where it lies far from all others.
    """
    core = _core(days)
    slack = NEAR * max(core[-1].last - core[0].first, _DAY)
    kept = [
        day
        for day in days
        if core[0].first - day.last <= slack and day.first - core[-1].last <= slack
    ]
    start, newest = kept[0].first, kept[-1].last
    tick = _DAY if _are_dates(kept) else TICK
    return Times(start, newest, newest + min(tick, LAST - newest))


def _core(days: Sequence[Day]) -> Sequence[Day]:
    """Without the days at either end whose rows together are few enough to be strays."""
    few = STRAY_SHARE * sum(day.rows for day in days)
    first = _passed([day.rows for day in days], few)
    last = len(days) - _passed([day.rows for day in reversed(days)], few)
    return days[first:last]


def _passed(rows: Sequence[int], few: float) -> int:
    total = 0
    for place, count in enumerate(rows):
        total += count
        if total > few:
            return place
    return len(rows)


def _are_dates(days: Sequence[Day]) -> bool:
    """Whether rows are dated by the day: all of a day at one instant.

    It need not be midnight in UTC, for it may be so elsewhere; of a single day it must.
    """
    single = len(days) == 1 and days[0].first.time() != time()
    return not single and all(day.first == day.last for day in days)


def _utc(found: date) -> datetime:
    moment = found if isinstance(found, datetime) else datetime.combine(found, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
