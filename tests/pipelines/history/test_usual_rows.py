"""Rows of the reference at the time of the week, or of the day, of a window."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from trimtab.contracts.drift import Window
from trimtab.detection.drift.row_counts import find_row_count_fault
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.history.usual_rows import count_usual_rows, order_times

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def make_times(days: int) -> "pd.Series[pd.Timestamp]":
    """Return the times of a shop that is open on working days from 8 to 18, 30 rows an hour."""
    times = pd.Series(pd.date_range(START, periods=days * 24 * 30, freq="2min"))
    return times[(times.dt.day_of_week < 5) & times.dt.hour.between(8, 17)]


def count(start: datetime, length: timedelta, days: int = 28) -> tuple[int, ...]:
    reference = Window(start=START, end=START + days * DAY, rows=1)
    times = order_times(make_times(days))
    return count_usual_rows(times, reference, TimeRange(start, start + length))


def test_a_day_is_compared_with_the_same_weekdays() -> None:
    monday, sunday = START + 35 * DAY, START + 34 * DAY

    assert count(monday, DAY) == (300,) * 4
    assert count(sunday, DAY) == (0,) * 4
    assert find_row_count_fault(0, count(monday, DAY))
    assert find_row_count_fault(0, count(sunday, DAY)) is None


def test_an_hour_is_compared_with_the_same_hour() -> None:
    assert set(count(START + 35 * DAY + 9 * HOUR, HOUR)) == {30}
    assert set(count(START + 35 * DAY + 2 * HOUR, HOUR)) == {0}


def test_a_short_reference_is_compared_by_the_hour_of_the_day() -> None:
    assert count(START + 7 * DAY + 9 * HOUR, HOUR, days=5) == (30,) * 5


def test_a_window_as_long_as_the_reference_is_compared_with_nothing() -> None:
    assert count(START + 28 * DAY, 28 * DAY) == ()


def test_a_window_inside_the_reference_is_not_compared_with_itself() -> None:
    assert len(count(START + 7 * DAY, DAY)) == 3
