"""Durations as people type and read them."""

import re
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from trimtab.runtime.errors import BadConfigurationError

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SECONDS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def parse_duration(text: str, option: str) -> timedelta:
    """Return the duration that "90m", "1h30m", "7d" or "PT1H" means.

    Raises `BadConfigurationError` for anything else.
    """
    parts = re.findall(r"(\d+)([smhdw])", text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(
            (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0)
        )
    try:
        duration = TypeAdapter(timedelta).validate_python(text)
    except ValidationError:
        duration = timedelta(-1)
    if duration < timedelta(0):
        fault = f"{option} = {text!r}: write a duration such as 30m, 1h, 7d, or PT1H"
        raise BadConfigurationError([fault])
    return duration


def format_duration(duration: timedelta) -> str:
    """Return the duration as a person would type it, such as "1h30m"."""
    rest, parts = int(duration.total_seconds()), []
    for unit, seconds in _SECONDS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_duration_in_words(duration: timedelta) -> str:
    """Return the duration in its largest fitting unit, such as "7 days" or "36 hours"."""
    if duration == _DAY or duration >= 2 * _DAY:
        return _count(duration / _DAY, "day")
    if duration >= _HOUR:
        return _count(duration / _HOUR, "hour")
    return f"{duration / timedelta(minutes=1):,.4g} min"


def format_iso_duration(duration: timedelta) -> str:
    """Return the duration as configurations have it, such as "PT1H"."""
    return str(TypeAdapter(timedelta).dump_python(duration, mode="json"))


def _count(number: float, unit: str) -> str:
    return f"{number:,.4g} {unit}{'' if number == 1 else 's'}"
