from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from trimtab.detection.onboarding.window_choice import WindowChoice, choose_windows

DAY = timedelta(days=1)


def choose(times: pd.DatetimeIndex, *, repeat: int = 1) -> WindowChoice:
    return choose_windows(pd.Series(times.repeat(repeat)))


def make_times(step: str, count: int, start: str = "2016-10-04") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq=step, tz="UTC")


def test_eleven_weeks_become_windows_of_a_week_with_three_as_the_reference() -> None:
    found = choose(make_times("30min", 3690))

    assert (found.window, found.reference, len(found.counts)) == (7 * DAY, 3, 11)
    assert found.start is None


@pytest.mark.parametrize(
    ("times", "repeat"),
    [
        (make_times("h", 4000), 1),
        (make_times("D", 3000), 5),
        (make_times("MS", 60), 100),
        (make_times("QS", 20), 100),
        (make_times("YS", 30), 300),
        (make_times("s", 20_000), 1),
        (make_times("B", 1000), 3),
        (make_times("7D", 100), 300),
        (make_times("min", 1_000_000), 1),
    ],
)
def test_six_windows_follow_the_reference_if_the_table_covers_enough_time(
    times: pd.DatetimeIndex, repeat: int
) -> None:
    found = choose(times, repeat=repeat)

    assert len(found.counts) - found.reference >= 6
    assert len(found.counts) <= 60
    assert np.median(found.counts) >= 80
    assert sum(found.counts) >= 0.9 * len(times) * repeat


def test_the_last_row_stands_for_the_time_until_the_next_would_come() -> None:
    whole, cut = choose(make_times("D", 56), repeat=50), choose(make_times("D", 54), repeat=50)

    assert (len(whole.counts), len(cut.counts)) == (8, 7)
    assert (whole.window, set(whole.counts)) == (7 * DAY, {350})


def test_no_empty_window_follows_the_last_row() -> None:
    found = choose(make_times("YS", 4, "2015-01-01"), repeat=70_000)

    assert found.counts == (70_000,) * 4


@pytest.mark.parametrize("step", ["MS", "ME", "QS", "YS", "YE"])
def test_every_window_of_rows_dated_by_month_or_year_has_as_many_dates(step: str) -> None:
    found = choose(make_times(step, 48, "2001-01-01"), repeat=250)

    assert len(set(found.counts)) == 1
    assert found.period in {"month", "quarter", "year"}


def test_the_reference_of_rows_dated_by_year_has_two_dates_so_that_one_can_be_held_out() -> None:
    found = choose(make_times("YS", 4, "2015-01-01"), repeat=70_000)

    assert (found.window, found.reference) == (365 * DAY, 2)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_different_times_cannot_be_divided(count: int) -> None:
    with pytest.raises(ValueError, match=r"all rows have the same time|only 2 distinct times"):
        choose(make_times("D", count), repeat=1000)


def test_no_time_at_all_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="no row has a time"):
        choose_windows(pd.Series([pd.NaT], dtype="datetime64[us, UTC]"))


def test_windows_shorter_than_a_day_start_with_the_rows() -> None:
    found = choose(make_times("s", 50_000, "2020-03-01 13:12:11"))

    assert found.window < DAY
    assert found.start is not None
    assert found.start <= datetime(2020, 3, 1, 13, 12, 11, tzinfo=UTC)
    assert min(found.counts[:-1]) > 0


def test_a_few_outliers_do_not_change_the_windows() -> None:
    outliers = pd.DatetimeIndex(["1970-01-01"] * 3 + ["2099-12-31"], tz="UTC")

    found = choose(pd.DatetimeIndex(make_times("5min", 20_000).append(outliers)))

    assert (found.window, len(found.counts)) == (7 * DAY, 10)
    assert (found.early_outliers, found.late_outliers) == (3, 1)
    assert found.start == datetime(2016, 10, 4, tzinfo=UTC)
