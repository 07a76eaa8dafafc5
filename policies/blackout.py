"""Tells whether an instant lies in a blackout: local start, elapsed length."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.decision import Blackout

_DAY = timedelta(days=1)


def active_blackout(blackouts: Iterable[Blackout], now: datetime) -> Blackout | None:
    """The first blackout that holds `now` (aware), or None.

    A blackout starts at its local time on its weekdays and lasts an elapsed duration, so that
    daylight saving neither lengthens nor shortens it; a start that the clocks skip counts as the
    instant at which they skip it.
    """
    return next((blackout for blackout in blackouts if _holds(blackout, now)), None)


def _holds(blackout: Blackout, now: datetime) -> bool:
    zone = ZoneInfo(blackout.timezone)
    today = now.astimezone(zone).date()
    for back in range(-1, blackout.duration // _DAY + 2):
        day = today - timedelta(days=back)
        if day.weekday() not in blackout.weekdays:
            continue
        start = datetime.combine(day, blackout.start, tzinfo=zone).astimezone(UTC)
        if start <= now < start + blackout.duration:
            return True
    return False
