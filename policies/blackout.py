"""Finds the blackout that is active at an instant: weekly, of a calendar, or a public holiday."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from policies.blackout_calendar import CalendarError, find_calendar_event, find_holiday
from trimtab.contracts.decision import Blackout, Limits

_DAY = timedelta(days=1)
_ALWAYS = timedelta(days=8)
"""Duration from which a weekly blackout never ends, whatever the clocks do."""
_PRECISION = timedelta(milliseconds=1)
"""Accuracy to which the instant of a clock change is searched for."""


def explain_blackout(limits: Limits, now: datetime) -> str | None:
    """Return the blackout that is active at the aware time `now` as a clause, or None.

    A blackout that cannot be evaluated counts as active: nothing is executed by mistake.
    """
    weekly = find_active_blackout(limits.blackouts, now)
    if weekly is not None:
        return f"blackout {weekly.name!r} is active"
    for calendar in limits.calendars:
        try:
            event = find_calendar_event(calendar, now, timezone=limits.timezone)
        except (CalendarError, OverflowError) as error:
            return f"calendar {calendar.name!r} cannot be evaluated: {error}"
        if event is not None:
            return f"{event!r} of calendar {calendar.name!r} is active"
    for country in limits.holidays:
        try:
            holiday = find_holiday(country, now, timezone=limits.timezone)
        except (CalendarError, OverflowError) as error:
            return f"the holidays of {country.country!r} cannot be evaluated: {error}"
        if holiday is not None:
            part = f"-{country.subdivision}" if country.subdivision else ""
            return f"{holiday!r} is a public holiday in {country.country}{part}"
    return None


def find_active_blackout(blackouts: Iterable[Blackout], now: datetime) -> Blackout | None:
    """Return the first blackout that contains the aware time `now`, or None.

    A blackout starts at its local time on each of its weekdays and lasts for an elapsed duration:
    daylight saving neither lengthens nor shortens it. If the clocks skip its start, it starts at
    the instant of the clock change.
    """
    return next((blackout for blackout in blackouts if _contains(blackout, now)), None)


def _contains(blackout: Blackout, now: datetime) -> bool:
    """Return whether the blackout is active; at the ends of the calendar it always is."""
    if blackout.duration >= _ALWAYS and set(blackout.weekdays) & set(range(7)):
        return True
    try:
        return _contains_start(blackout, now)
    except OverflowError:
        return True


def _contains_start(blackout: Blackout, now: datetime) -> bool:
    zone = ZoneInfo(blackout.timezone)
    today = now.astimezone(zone).date()
    # From tomorrow, because a clock change may move a start across midnight, back to the earliest
    # day whose blackout may still last.
    for days_back in range(-1, blackout.duration // _DAY + 2):
        day = today - timedelta(days=days_back)
        if day.weekday() not in blackout.weekdays:
            continue
        start = _find_instant(datetime.combine(day, blackout.start, tzinfo=zone))
        if start <= now < start + blackout.duration:
            return True
    return False


def _find_instant(local: datetime) -> datetime:
    """Return the UTC instant of a local time, or of the clock change that skips it."""
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = local.replace(fold=1).astimezone(UTC), found
    while after - before > _PRECISION:
        middle = before + (after - before) / 2
        if middle.astimezone(local.tzinfo).utcoffset() == local.utcoffset():
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
