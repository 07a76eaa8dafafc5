"""Blackouts of iCalendar files and public holidays, in the policy's time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.blackout import explain_blackout
from policies.blackout_calendar import CalendarError, check_calendar, check_holidays
from policies.decision import decide
from tests.builders import a_question
from trimtab.contracts.blackout_calendar import BlackoutCalendar, HolidayCalendar
from trimtab.contracts.decision import Blackout, Limits


def a_calendar(*events: str) -> BlackoutCalendar:
    body = "\r\n".join(
        f"BEGIN:VEVENT\r\nUID:{i}\r\n{each}\r\nEND:VEVENT" for i, each in enumerate(events)
    )
    content = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//\r\n{body}\r\nEND:VCALENDAR\r\n"
    return BlackoutCalendar(name="closing", content=content)


def the_limits(*events: str, timezone: str = "Europe/Berlin") -> Limits:
    return Limits(calendars=(a_calendar(*events),), timezone=timezone)


def active(limits: Limits, *instant: int) -> bool:
    return explain_blackout(limits, datetime(*instant, tzinfo=UTC)) is not None  # type: ignore[arg-type, misc]


MONTH_END = (
    "SUMMARY:month end\r\nDTSTART;TZID=Europe/Berlin:20260131T180000\r\n"
    "DTEND;TZID=Europe/Berlin:20260201T060000\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1"
)


def test_a_recurring_event_is_a_blackout_from_its_start_to_its_end() -> None:
    limits = the_limits(MONTH_END)

    assert not active(limits, 2026, 11, 30, 16, 59)
    assert active(limits, 2026, 11, 30, 17, 0)
    assert active(limits, 2026, 12, 1, 4, 59)
    assert not active(limits, 2026, 12, 1, 5, 0)


def test_a_recurring_event_moves_with_daylight_saving() -> None:
    limits = the_limits(MONTH_END)

    assert active(limits, 2026, 7, 31, 16, 0)
    assert not active(limits, 2026, 7, 31, 15, 59)


def test_an_event_of_whole_days_is_read_in_the_time_zone_of_the_policy() -> None:
    freeze = "SUMMARY:end of year\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20270102"

    berlin, utc = the_limits(freeze), the_limits(freeze, timezone="UTC")

    assert active(berlin, 2026, 12, 23, 23, 0)
    assert not active(utc, 2026, 12, 23, 23, 0)
    assert active(utc, 2027, 1, 1, 23, 59)
    assert not active(utc, 2027, 1, 2)


def test_exceptions_and_cancelled_events_are_left_out() -> None:
    daily = (
        "DTSTART:20261101T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\nEXDATE:20261105T100000Z"
    )

    assert active(the_limits(daily), 2026, 11, 4, 10, 30)
    assert not active(the_limits(daily), 2026, 11, 5, 10, 30)
    assert not active(the_limits(f"{daily}\r\nSTATUS:CANCELLED"), 2026, 11, 4, 10, 30)


def test_a_public_holiday_is_a_local_day() -> None:
    bavaria = HolidayCalendar(country="DE", subdivision="BY")
    limits = Limits(holidays=(bavaria,), timezone="Europe/Berlin")

    assert active(limits, 2026, 1, 5, 23, 30)
    assert not active(limits, 2026, 1, 6, 23, 30)
    assert not active(Limits(holidays=(HolidayCalendar(country="DE"),)), 2026, 1, 6, 12)


def test_the_rule_names_the_event() -> None:
    instant = datetime(2026, 11, 30, 20, tzinfo=UTC)

    decision = decide(a_question(limits=the_limits(MONTH_END), now=instant))

    assert decision.rule == "blackout_window"
    assert decision.reason.startswith("'month end' of calendar 'closing' is active")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("rubbish", "no iCalendar"),
        (a_calendar("DTSTART:rubbish").content, "DTSTART"),
        (a_calendar("DTSTART:20260101T000000Z\r\nRRULE:FREQ=SECONDLY").content, "FREQ=SECONDLY"),
        (a_calendar("DTSTART:20260101T000000Z\r\nRRULE:FREQ=HOURLY").content, "FREQ=HOURLY"),
        (
            a_calendar("DTSTART:20260101T000000Z\r\nRRULE:FREQ=DAILY;INTERVAL=0").content,
            "INTERVAL=0",
        ),
        (
            a_calendar("DTSTART:20260101T000000Z\r\nRRULE:FREQ=DAILY;BYSECOND=0,1").content,
            "2 values of BYSECOND",
        ),
        (
            a_calendar(
                "DTSTART:20260101T000000Z\r\nRRULE:FREQ=DAILY\r\nEXRULE:FREQ=SECONDLY"
            ).content,
            "FREQ=SECONDLY",
        ),
    ],
)
def test_a_calendar_that_cannot_be_evaluated_is_refused_and_counts_as_active(
    content: str, fault: str
) -> None:
    calendar = BlackoutCalendar(name="broken", content=content)

    with pytest.raises(CalendarError, match=fault):
        check_calendar(calendar)
    assert active(Limits(calendars=(calendar,)), 2026, 11, 30)


def test_an_unknown_country_is_refused_and_counts_as_active() -> None:
    nowhere = HolidayCalendar(country="DE", subdivision="QQ")

    with pytest.raises(CalendarError, match="subdivision"):
        check_holidays(nowhere)
    assert active(Limits(holidays=(nowhere,)), 2026, 11, 30)


@pytest.mark.parametrize("days", [8, 365 * 3000, 999_999_999])
def test_a_weekly_blackout_of_millennia_is_always_active(days: int) -> None:
    endless = Blackout(name="for ever", weekdays=(2,), start="10:00", duration=timedelta(days=days))

    assert active(Limits(blackouts=(endless,)), 2026, 11, 30)
    assert active(Limits(blackouts=(endless,)), 1, 1, 1)


def test_a_weekly_blackout_on_no_day_is_never_active() -> None:
    never = Blackout(name="never", weekdays=(), start="10:00", duration=timedelta(days=9))

    assert not active(Limits(blackouts=(never,)), 2026, 11, 30)


@pytest.mark.parametrize("instant", [(1, 1, 1, 0), (9999, 12, 31, 23, 59)])
def test_the_ends_of_the_calendar_raise_nothing(instant: tuple[int, ...]) -> None:
    week = Blackout(name="night", start="22:00", duration=timedelta(hours=8), timezone="Asia/Tokyo")

    assert active(Limits(blackouts=(week,)), *instant) in {True, False}
    assert active(the_limits(MONTH_END), *instant)
    assert active(Limits(holidays=(HolidayCalendar(country="DE"),)), *instant) in {True, False}
