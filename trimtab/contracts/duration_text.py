"""Writes durations for people, in reasons and messages that are kept with an incident."""

from datetime import timedelta
from typing import Final

_UNITS: Final = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_UNITS_SHOWN: Final = 2


def format_rounded_duration(duration: timedelta) -> str:
    """Return the duration in its two largest units, rounded down, such as "4 min 18 s".

    A negative duration, which two clocks may give, is "0 s".
    """
    seconds = max(int(duration.total_seconds()), 0)
    largest = next((at for at, (_, size) in enumerate(_UNITS) if seconds >= size), len(_UNITS) - 1)
    parts: list[str] = []
    for unit, size in _UNITS[largest : largest + _UNITS_SHOWN]:
        count, seconds = divmod(seconds, size)
        if count or not parts:
            parts.append(f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}")
    return " ".join(parts)
