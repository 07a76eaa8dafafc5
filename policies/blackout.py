"""Tells whether an instant lies in a blackout: local start, elapsed length."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trimtab.contracts.decision import Blackout

_DAY = timedelta(days=1)
_INSTANT = timedelta(milliseconds=1)


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
        start = _begins(datetime.combine(day, blackout.start, tzinfo=zone))
        if start <= now < start + blackout.duration:
            return True
    return False


def _begins(local: datetime) -> datetime:
    """The instant of a local time, UTC; where the clocks skip it, when they do."""
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = local.replace(fold=1).astimezone(UTC), found
    while after - before > _INSTANT:
        middle = before + (after - before) / 2
        if middle.astimezone(local.tzinfo).utcoffset() == local.utcoffset():
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
