"""Finds the event of an iCalendar, or the public holiday, that is a blackout at an instant."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import holidays
import icalendar
import recurring_ical_events

from trimtab.contracts.blackout_calendar import BlackoutCalendar, HolidayCalendar

_DAY: Final = timedelta(days=1)
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
"""Recurrences that can be expanded quickly, however long ago they began."""
_PARTS_OF_A_DAY: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
"""Parts of a recurrence that multiply a day's events, if they hold several values."""
_MAX_SUMMARY_LENGTH: Final = 100


class CalendarError(ValueError):
    """The calendar cannot be evaluated; the message says why, and what to do."""


def find_calendar_event(calendar: BlackoutCalendar, now: datetime, *, timezone: str) -> str | None:
    """Return the summary of an event that lasts at the aware time `now`, or None.

    Events without a zone of their own, and events of whole days, are read in `timezone`. Cancelled
    events do not count.

    Raises:
        CalendarError: The calendar cannot be evaluated.
    """
    query, zone = _open_query(calendar.content), ZoneInfo(timezone)
    local = now.astimezone(zone)
    try:
        near = query.between(local - _DAY, local + _DAY)
        for event in near:
            is_cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
            if not is_cancelled and _to_instant(event.start, zone) <= now < _find_end(event, zone):
                return _format_summary(event)
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError) as error:
        raise _broken(error) from error
    return None


def find_holiday(calendar: HolidayCalendar, now: datetime, *, timezone: str) -> str | None:
    """Return the name of the public holiday at the aware time `now`, or None.

    Raises:
        CalendarError: The country or its part is not known.
    """
    day = now.astimezone(ZoneInfo(timezone)).date()
    known = _list_holidays(calendar.country, calendar.subdivision, day.year)
    return known.get(day)


def check_calendar(calendar: BlackoutCalendar) -> None:
    """Raise `CalendarError` if the calendar cannot be evaluated."""
    find_calendar_event(calendar, datetime(2026, 1, 1, tzinfo=UTC), timezone="UTC")


def check_holidays(calendar: HolidayCalendar) -> None:
    """Raise `CalendarError` if the country or its part is not known."""
    _list_holidays(calendar.country, calendar.subdivision, 2026)


@lru_cache(maxsize=64)
def _open_query(content: str) -> Any:  # noqa: ANN401 - the library names its type only inside
    """Return what searches the calendar's events; parsing is slow, so it is kept."""
    try:
        parsed = icalendar.Calendar.from_ical(content)
        events = parsed.walk("VEVENT")
        for event in events:
            _check_event(event)
        return recurring_ical_events.of(parsed)
    except CalendarError:
        raise
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError) as error:
        raise _broken(error) from error


def _check_event(event: Any) -> None:  # noqa: ANN401 - an icalendar component, which has no types
    summary = _format_summary(event)
    if event.errors:
        field, fault = event.errors[0]
        msg = f"event {summary!r}: {field}: {fault}: correct it, or take the event out"
        raise CalendarError(msg)
    for rule in (*_list_rules(event, "RRULE"), *_list_rules(event, "EXRULE")):
        frequency = str((rule.get("FREQ") or [""])[0]).upper()
        if frequency not in _FREQUENCIES:
            msg = (
                f"event {summary!r} recurs with FREQ={frequency}: write one of "
                f"{', '.join(_FREQUENCIES)}, with a duration"
            )
            raise CalendarError(msg)
        if fault := _find_endless_part(rule):
            msg = f"event {summary!r} recurs with {fault}"
            raise CalendarError(msg)


def _list_rules(event: Any, name: str) -> list[Any]:  # noqa: ANN401 - see above
    rules = event.get(name, [])
    return rules if isinstance(rules, list) else [rules]


def _find_endless_part(rule: Any) -> str:  # noqa: ANN401 - see above
    """Return what makes a recurrence take for ever to expand; empty if nothing does."""
    intervals = rule.get("INTERVAL") or [1]
    if any(int(each) < 1 for each in intervals):
        return f"INTERVAL={intervals[0]}: write 1 or more"
    for part in _PARTS_OF_A_DAY:
        count = len(rule.get(part) or [])
        if count > 1:
            return f"{count} values of {part}: write one event for each, with a duration"
    return ""


def _find_end(event: Any, zone: ZoneInfo) -> datetime:  # noqa: ANN401 - see above
    """Return the instant at which the event ends; a day without an end lasts for that day."""
    end = _to_instant(event.end, zone)
    if not isinstance(event.start, datetime) and event.end <= event.start:
        return _to_instant(event.start + _DAY, zone)
    return end


def _to_instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _format_summary(event: Any) -> str:  # noqa: ANN401 - see above
    text = "".join(each if each.isprintable() else " " for each in str(event.get("SUMMARY", "")))
    return text.strip()[:_MAX_SUMMARY_LENGTH] or "event without a name"


@lru_cache(maxsize=64)
def _list_holidays(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    try:
        return dict(holidays.country_holidays(country, subdiv=subdivision, years=[year]))
    except NotImplementedError as error:
        msg = f"{error}: use an ISO 3166 code such as DE, and its subdivision such as BY"
        raise CalendarError(msg) from error


def _broken(error: Exception) -> CalendarError:
    text = " ".join(str(error).split()) or type(error).__name__
    return CalendarError(f"it is no iCalendar (RFC 5545) that can be evaluated: {text:.200}")
