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
from trimtab.detection.tables.profiling import Span, UnreadableError, profile_relation
from trimtab.detection.tables.time_ranges import days_in_engine, times_of

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
TICK = timedelta(microseconds=1)
X = Column(name="x", kind=FeatureKind.NUMERIC)


def dated(folder: Path, times: Any, kind: pa.DataType | None = None) -> Path:
    path = folder / "table.parquet"
    found = pa.array(times, kind)
    parquet.write_table(pa.table({"x": np.arange(float(len(found))), "at": found}), path)
    return path


def profiled(folder: Path, times: Any, kind: pa.DataType | None = None) -> WindowProfile:
    return profile_relation(dated(folder, times, kind), [X], where=Span("at"))


def window_of(folder: Path, times: Any, kind: pa.DataType | None = None) -> Window:
    return profiled(folder, times, kind).window


def minutes(rows: int) -> list[datetime]:
    return [START + timedelta(minutes=n) for n in range(rows)]


def test_the_window_of_rows_dated_by_the_minute_ends_just_after_the_newest(tmp_path: Path) -> None:
    found = window_of(tmp_path, minutes(3000))

    assert (found.start, found.end) == (START, START + timedelta(minutes=2999) + TICK)


@pytest.mark.parametrize("dates", [1, 2, 30])
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "UTC")])
def test_the_window_of_rows_dated_by_the_day_is_as_long_as_the_days(
    tmp_path: Path, dates: int, kind: pa.DataType
) -> None:
    times = [START + n % dates * DAY for n in range(300)]
    if pa.types.is_date(kind):
        found = window_of(tmp_path, [each.date() for each in times], kind)
    else:
        found = window_of(tmp_path, pa.array(times, pa.timestamp("us", "UTC")).cast(kind))

    assert (found.start, found.end) == (START, START + dates * DAY)


def test_midnights_elsewhere_are_days_too(tmp_path: Path) -> None:
    times = [START - timedelta(hours=1) + n * DAY for n in range(5)] * 9

    found = window_of(tmp_path, times, pa.timestamp("us", "UTC"))

    assert found.end - found.start == 5 * DAY


def test_one_instant_that_is_no_midnight_is_no_day(tmp_path: Path) -> None:
    found = window_of(tmp_path, [START + timedelta(hours=7)] * 9)

    assert found.end - found.start == TICK


@pytest.mark.parametrize("stray", [(1970, 1), (2200, 1), (9999, 12)])
def test_a_few_rows_of_another_age_do_not_lengthen_the_window(
    tmp_path: Path, stray: tuple[int, int]
) -> None:
    times = [*minutes(5000), *[datetime(*stray, 1, tzinfo=UTC)] * 40]

    found = profiled(tmp_path, times)

    assert (found.window.start, found.newest) == (START, START + timedelta(minutes=4999))
    assert found.window.rows == 5040


def test_few_rows_near_the_others_belong_to_them(tmp_path: Path) -> None:
    times = [*minutes(60 * 24 * 10), START + 12 * DAY]

    assert window_of(tmp_path, times).end == START + 12 * DAY + TICK


def test_years_of_more_digits_than_four_are_strays_too(tmp_path: Path) -> None:
    texts = ["2026-01-05", "2026-01-06"] * 200 + ["19999-01-01"]

    assert window_of(tmp_path, texts).end == START + 2 * DAY


def test_the_last_date_that_there_is_has_a_window(tmp_path: Path) -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)

    assert window_of(tmp_path, [last] * 9).end == last + TICK


def test_dates_before_1970_are_in_order(tmp_path: Path) -> None:
    early = datetime(1969, 12, 30, tzinfo=UTC)
    found = window_of(tmp_path, [early + n * DAY for n in range(4)])

    assert (found.start, found.end) == (early, early + 4 * DAY)


def test_a_window_that_is_given_is_kept_to_the_microsecond(tmp_path: Path) -> None:
    where = Span("at", START, START + timedelta(minutes=500))
    path = dated(tmp_path, [*minutes(300), datetime(1970, 1, 1, tzinfo=UTC)])

    found = profile_relation(path, [X], where=where)

    assert (found.window.start, found.window.end) == (START, START + timedelta(minutes=500))
    assert (found.window.rows, found.newest) == (300, START + timedelta(minutes=299))


def test_nanoseconds_with_a_zone_are_times(tmp_path: Path) -> None:
    path = dated(tmp_path, minutes(100), pa.timestamp("ns", "UTC"))

    inside = profile_relation(path, [X], where=Span("at", START, START + timedelta(minutes=10)))
    everything = profile_relation(path, [X], where=Span("at"))

    assert inside.window.rows == 10
    assert everything.newest == START + timedelta(minutes=99)


def test_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    texts = ["2026-01-05 00:00", "soon", None, "2026-01-06T00:00:00Z"]

    found = profiled(tmp_path, texts)

    assert (found.untimed, found.newest) == (2, START + DAY)


@pytest.mark.parametrize("times", [["foo"] * 9, pa.nulls(9, pa.timestamp("us"))])
def test_a_column_without_any_time_is_refused(tmp_path: Path, times: Any) -> None:
    with pytest.raises(UnreadableError, match="'at' holds no time that can be read"):
        profiled(tmp_path, times)


def test_a_table_without_rows_has_a_window(tmp_path: Path) -> None:
    assert profiled(tmp_path, [], pa.timestamp("us")).newest is None


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")])
def test_an_engine_tells_the_same_days(tmp_path: Path, kind: pa.DataType) -> None:
    from trimtab.detection.tables.ibis_engine import engine_table  # noqa: PLC0415 - as the code under test

    times = [START + n % 7 * DAY for n in range(50)]
    if pa.types.is_date(kind):
        path = dated(tmp_path, [each.date() for each in times], kind)
    else:
        path = dated(tmp_path, pa.array(times, pa.timestamp("us", "UTC")).cast(kind))

    days = days_in_engine(engine_table(ibis.duckdb.connect().read_parquet(path)), Span("at"))

    found = times_of(days)
    assert (found.start, found.newest, found.end) == (START, START + 6 * DAY, START + 7 * DAY)
    assert sum(day.rows for day in days) == 50
