from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.ibis_engine import open_engine_table
from trimtab.detection.tables.profiling import profile_relation
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.time_ranges import count_engine_days, infer_data_period

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
TICK = timedelta(microseconds=1)
X = Column(name="x", kind=FeatureKind.NUMERIC)


def write_times(folder: Path, times: Any, kind: pa.DataType | None = None) -> Path:
    path = folder / "table.parquet"
    found = pa.array(times, kind)
    parquet.write_table(pa.table({"x": np.arange(float(len(found))), "at": found}), path)
    return path


def profile_times(folder: Path, times: Any, kind: pa.DataType | None = None) -> WindowProfile:
    return profile_relation(write_times(folder, times, kind), [X], where=RowFilter("at"))


def find_window(folder: Path, times: Any, kind: pa.DataType | None = None) -> Window:
    return profile_times(folder, times, kind).window


def make_minutes(rows: int) -> list[datetime]:
    return [START + timedelta(minutes=n) for n in range(rows)]


def test_the_window_of_rows_dated_by_the_minute_ends_just_after_the_newest(tmp_path: Path) -> None:
    found = find_window(tmp_path, make_minutes(3000))

    assert (found.start, found.end) == (START, START + timedelta(minutes=2999) + TICK)


@pytest.mark.parametrize("dates", [1, 2, 30])
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "UTC")])
def test_the_window_of_rows_dated_by_the_day_is_as_long_as_the_days(
    tmp_path: Path, dates: int, kind: pa.DataType
) -> None:
    times = [START + n % dates * DAY for n in range(300)]
    if pa.types.is_date(kind):
        found = find_window(tmp_path, [each.date() for each in times], kind)
    else:
        found = find_window(tmp_path, pa.array(times, pa.timestamp("us", "UTC")).cast(kind))

    assert (found.start, found.end) == (START, START + dates * DAY)


def test_midnights_in_another_zone_are_days_too(tmp_path: Path) -> None:
    times = [START - timedelta(hours=1) + n * DAY for n in range(5)] * 9

    found = find_window(tmp_path, times, pa.timestamp("us", "UTC"))

    assert found.end - found.start == 5 * DAY


def test_a_single_time_other_than_midnight_is_no_day(tmp_path: Path) -> None:
    found = find_window(tmp_path, [START + timedelta(hours=7)] * 9)

    assert found.end - found.start == TICK


@pytest.mark.parametrize("outlier", [(1970, 1), (2200, 1), (9999, 12)])
def test_a_few_outliers_do_not_lengthen_the_window(
    tmp_path: Path, outlier: tuple[int, int]
) -> None:
    times = [*make_minutes(5000), *[datetime(*outlier, 1, tzinfo=UTC)] * 40]

    found = profile_times(tmp_path, times)

    assert (found.window.start, found.newest) == (START, START + timedelta(minutes=4999))
    assert found.window.rows == 5040


def test_a_few_rows_near_the_others_are_no_outliers(tmp_path: Path) -> None:
    times = [*make_minutes(60 * 24 * 10), START + 12 * DAY]

    assert find_window(tmp_path, times).end == START + 12 * DAY + TICK


def test_years_of_more_than_four_digits_are_outliers_too(tmp_path: Path) -> None:
    texts = ["2026-01-05", "2026-01-06"] * 200 + ["19999-01-01"]

    assert find_window(tmp_path, texts).end == START + 2 * DAY


def test_the_last_supported_date_has_a_window(tmp_path: Path) -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)

    assert find_window(tmp_path, [last] * 9).end == last + TICK


def test_dates_before_1970_are_in_order(tmp_path: Path) -> None:
    early = datetime(1969, 12, 30, tzinfo=UTC)
    found = find_window(tmp_path, [early + n * DAY for n in range(4)])

    assert (found.start, found.end) == (early, early + 4 * DAY)


def test_a_window_that_is_given_is_kept_to_the_microsecond(tmp_path: Path) -> None:
    where = RowFilter("at", START, START + timedelta(minutes=500))
    path = write_times(tmp_path, [*make_minutes(300), datetime(1970, 1, 1, tzinfo=UTC)])

    found = profile_relation(path, [X], where=where)

    assert (found.window.start, found.window.end) == (START, START + timedelta(minutes=500))
    assert (found.window.rows, found.newest) == (300, START + timedelta(minutes=299))


def test_nanoseconds_with_a_zone_are_times(tmp_path: Path) -> None:
    path = write_times(tmp_path, make_minutes(100), pa.timestamp("ns", "UTC"))

    inside = profile_relation(
        path, [X], where=RowFilter("at", START, START + timedelta(minutes=10))
    )
    everything = profile_relation(path, [X], where=RowFilter("at"))

    assert inside.window.rows == 10
    assert everything.newest == START + timedelta(minutes=99)


def test_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    texts = ["2026-01-05 00:00", "soon", None, "2026-01-06T00:00:00Z"]

    found = profile_times(tmp_path, texts)

    assert (found.untimed, found.newest) == (2, START + DAY)


@pytest.mark.parametrize("times", [["foo"] * 9, pa.nulls(9, pa.timestamp("us"))])
def test_a_column_without_any_time_is_refused(tmp_path: Path, times: Any) -> None:
    with pytest.raises(UnreadableError, match="'at' has no readable time"):
        profile_times(tmp_path, times)


def test_a_table_without_rows_has_a_window(tmp_path: Path) -> None:
    assert profile_times(tmp_path, [], pa.timestamp("us")).newest is None


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")])
def test_an_engine_counts_the_same_days(tmp_path: Path, kind: pa.DataType) -> None:
    times = [START + n % 7 * DAY for n in range(50)]
    if pa.types.is_date(kind):
        path = write_times(tmp_path, [each.date() for each in times], kind)
    else:
        path = write_times(tmp_path, pa.array(times, pa.timestamp("us", "UTC")).cast(kind))

    days = count_engine_days(
        open_engine_table(ibis.duckdb.connect().read_parquet(path)), RowFilter("at")
    )

    found = infer_data_period(days)
    assert (found.start, found.newest, found.end) == (START, START + 6 * DAY, START + 7 * DAY)
    assert sum(day.rows for day in days) == 50
