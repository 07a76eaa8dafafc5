"""Quality faults of the time of rows, in tables without a given window."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.detection.windows import make_spec
from trimtab.contracts.drift import QualityFault, Window
from trimtab.detection.drift.data_quality import find_quality_faults, find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import WindowProfile

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def make_window(
    rows: int, start: datetime = START, length: timedelta = DAY, *, untimed: int = 0
) -> WindowProfile:
    window = Window(start=start, end=start + length, rows=rows)
    newest = start + length - min(length, DAY)
    return WindowProfile(model="m", window=window, columns=(), newest=newest, untimed=untimed)


def find_faults_by_kind(
    reference: WindowProfile, current: WindowProfile
) -> dict[str, QualityFault]:
    return {fault.kind: fault for fault in find_quality_faults(reference, current)}


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (make_window(2000, length=TICK), make_window(2000, START + DAY, DAY + TICK)),
        (make_window(2000), make_window(6000, START + DAY, 60 * DAY)),  # of monthly dates
        (make_window(2000), make_window(2000, START + DAY, 2 * DAY)),
        (make_window(60_000, length=30 * DAY), make_window(2000, START + 31 * DAY)),
    ],
)
def test_a_reference_that_is_too_short_shows_no_fault(
    reference: WindowProfile, current: WindowProfile
) -> None:
    assert find_faults_by_kind(reference, current) == {}


@pytest.mark.parametrize(("rows", "corrupt"), [(800, False), (150, True)])
def test_a_day_of_few_rows_is_a_fault_beside_a_month(rows: int, *, corrupt: bool) -> None:
    found = find_faults_by_kind(
        make_window(60_000, length=30 * DAY), make_window(rows, START + 31 * DAY)
    )

    assert found["few_rows"].corrupt is corrupt


def test_the_day_after_the_reference_is_not_stale() -> None:
    assert find_faults_by_kind(make_window(2000), make_window(2000, START + DAY)) == {}


@pytest.mark.parametrize("back", [timedelta(0), DAY])
def test_the_same_or_an_earlier_period_is_stale_and_not_announced(back: timedelta) -> None:
    fault = find_faults_by_kind(make_window(2000), make_window(2000, START - back))["stale"]

    assert "no later than the reference's" in fault.detail
    assert not warrants_event(fault)


def test_a_given_window_is_not_stale_because_of_the_rows_of_the_reference() -> None:
    window = make_window(2000).model_copy(update={"newest": START + DAY - TICK})

    assert find_window_faults(make_window(2000), window, spec=make_spec()) == ()


def test_rows_without_a_time_count_as_missing_values() -> None:
    fault = find_faults_by_kind(make_window(2000), make_window(2000, START + DAY, untimed=600))[
        "nulls"
    ]

    assert warrants_event(fault)
    assert fault.corrupt
    assert "30.0% of the rows have no readable time" in fault.detail


def test_as_many_rows_without_a_time_as_before_are_no_fault() -> None:
    reference, current = make_window(2000, untimed=600), make_window(2000, START + DAY, untimed=640)

    assert find_faults_by_kind(reference, current) == {}
