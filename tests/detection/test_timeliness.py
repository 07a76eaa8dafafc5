"""Faults of when rows came, in tables whose windows nobody gave."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.detection.windows import spec
from trimtab.contracts.drift import QualityFault, Window
from trimtab.detection.drift.data_quality import find_quality_faults, find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import WindowProfile

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def held(
    rows: int, start: datetime = START, length: timedelta = DAY, *, untimed: int = 0
) -> WindowProfile:
    window = Window(start=start, end=start + length, rows=rows)
    newest = start + length - min(length, DAY)
    return WindowProfile(model="m", window=window, columns=(), newest=newest, untimed=untimed)


def faults(reference: WindowProfile, current: WindowProfile) -> dict[str, QualityFault]:
    return {fault.kind: fault for fault in find_quality_faults(reference, current)}


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (held(2000, length=TICK), held(2000, START + DAY, DAY + TICK)),
        (held(2000), held(6000, START + DAY, 60 * DAY)),  # of monthly dates
        (held(2000), held(2000, START + DAY, 2 * DAY)),
        (held(60_000, length=30 * DAY), held(2000, START + 31 * DAY)),
    ],
)
def test_a_reference_too_short_to_tell_of_so_much_time_suggests_nothing(
    reference: WindowProfile, current: WindowProfile
) -> None:
    assert faults(reference, current) == {}


@pytest.mark.parametrize(("rows", "corrupt"), [(800, False), (150, True)])
def test_a_day_of_few_rows_is_told_beside_a_month(rows: int, *, corrupt: bool) -> None:
    found = faults(held(60_000, length=30 * DAY), held(rows, START + 31 * DAY))

    assert found["few_rows"].corrupt is corrupt


def test_the_date_after_the_reference_is_not_stale() -> None:
    assert faults(held(2000), held(2000, START + DAY)) == {}


@pytest.mark.parametrize("back", [timedelta(0), DAY])
def test_the_same_or_an_earlier_period_again_is_stale_and_not_announced(back: timedelta) -> None:
    fault = faults(held(2000), held(2000, START - back))["stale"]

    assert "no later than the reference's" in fault.detail
    assert not warrants_event(fault)


def test_a_window_that_is_given_is_not_stale_for_what_the_reference_holds() -> None:
    window = held(2000).model_copy(update={"newest": START + DAY - TICK})

    assert find_window_faults(held(2000), window, spec=spec()) == ()


def test_rows_without_a_time_are_missing_values() -> None:
    fault = faults(held(2000), held(2000, START + DAY, untimed=600))["nulls"]

    assert warrants_event(fault)
    assert fault.corrupt
    assert "30.0% of the rows have no readable time" in fault.detail


def test_as_many_rows_without_a_time_as_before_are_no_fault() -> None:
    reference, current = held(2000, untimed=600), held(2000, START + DAY, untimed=640)

    assert faults(reference, current) == {}
