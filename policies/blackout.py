"""Finds the blackout that is active at an instant."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trimtab.contracts.decision import Blackout

_DAY = timedelta(days=1)
_PRECISION = timedelta(milliseconds=1)
"""Accuracy to which the instant of a clock change is searched for."""


def find_active_blackout(blackouts: Iterable[Blackout], now: datetime) -> Blackout | None:
    """Return the first blackout that contains the aware time `now`, or None.

    A blackout starts at its local time on each of its weekdays and lasts for an elapsed duration:
    daylight saving neither lengthens nor shortens it. If the clocks skip its start, it starts at
    the instant of the clock change.
    """
    return next((blackout for blackout in blackouts if _contains(blackout, now)), None)


def _contains(blackout: Blackout, now: datetime) -> bool:
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
