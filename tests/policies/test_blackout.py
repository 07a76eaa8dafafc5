"""Blackouts hold where they should, and nowhere else, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.blackout import find_active_blackout
from trimtab.contracts.decision import Blackout


def a_blackout(**changes: object) -> Blackout:
    fields: dict[str, object] = {"name": "night", "start": "22:00", "duration": timedelta(hours=8)}
    return Blackout.model_validate({**fields, **changes})


def holds(blackout: Blackout, month: int, day: int, hour: int, minute: int = 0) -> bool:
    instant = datetime(2026, month, day, hour, minute, tzinfo=UTC)
    return find_active_blackout([blackout], instant) is blackout


def test_a_span_across_midnight_belongs_to_the_day_it_starts_on() -> None:
    friday_night = a_blackout(weekdays=(4,))

    assert holds(friday_night, 11, 20, 23)
    assert holds(friday_night, 11, 21, 5, 59)
    assert not holds(friday_night, 11, 21, 6)
    assert not holds(friday_night, 11, 20, 5)
    assert not holds(friday_night, 11, 21, 23)


def test_a_span_of_several_days_holds_on_the_last_of_them() -> None:
    closing = a_blackout(weekdays=(4,), start="18:00", duration=timedelta(days=3))

    assert holds(closing, 11, 23, 17, 59)
    assert not holds(closing, 11, 23, 18)


@pytest.mark.parametrize(("month", "day", "begins"), [(3, 28, 22), (3, 29, 21), (7, 1, 21)])
def test_the_start_is_local_and_moves_with_daylight_saving(
    month: int, day: int, begins: int
) -> None:
    london = a_blackout(timezone="Europe/London")

    assert holds(london, month, day, begins)
    assert not holds(london, month, day, begins - 1, 59)


def test_the_length_is_elapsed_time_when_an_hour_is_skipped() -> None:
    london = a_blackout(timezone="Europe/London")

    assert holds(london, 3, 29, 5, 59)
    assert not holds(london, 3, 29, 6)


def test_a_start_that_the_clocks_skip_still_begins() -> None:
    skipped = a_blackout(start="01:30", duration=timedelta(hours=1), timezone="Europe/London")

    assert holds(skipped, 3, 29, 1, 45)
    assert holds(skipped, 3, 29, 1, 0)
    assert not holds(skipped, 3, 29, 0, 59)


def test_an_unknown_time_zone_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="no time zone is named 'Mars/Olympus'"):
        a_blackout(timezone="Mars/Olympus")


@given(
    hours=st.integers(1, 23),
    start=st.times(),
    instant=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
def test_in_utc_a_daily_blackout_holds_for_its_share_of_the_day(
    hours: int, start: time, instant: datetime
) -> None:
    blackout = a_blackout(start=start, duration=timedelta(hours=hours))
    begun = datetime.combine(instant.date(), start, tzinfo=UTC)
    since = (instant - begun) % timedelta(days=1)

    assert (find_active_blackout([blackout], instant) is blackout) == (
        since < timedelta(hours=hours)
    )
