"""Windows as people write them: "2016-12-13/2016-12-20", a day, or the last one."""

from datetime import UTC, datetime, timedelta
from typing import Final

from trimtab.contracts.base import EPOCH
from trimtab.contracts.model import ModelSpec
from trimtab.runtime.errors import BadConfigurationError

LAST: Final = "last"


def parse_time_range(text: str, option: str) -> tuple[datetime, datetime]:
    """Return start and end of "START/END"; times without a zone are in UTC.

    Raises `BadConfigurationError`.
    """
    first, slash, second = text.partition("/")
    if not slash:
        raise BadConfigurationError([f"{option} = {text!r}: write START/END"])
    start, end = parse_time(first, option), parse_time(second, option)
    if end <= start:
        raise BadConfigurationError([f"{option} = {text!r}: its end is not after its start"])
    return start, end


def parse_window(text: str, spec: ModelSpec) -> tuple[datetime, datetime]:
    """Return start and end of "START/END", or of the model's window that begins at "START".

    Raises `BadConfigurationError`.
    """
    if "/" in text:
        return parse_time_range(text, "--window")
    start = parse_time(text, "--window")
    return start, start + spec.window


def parse_time(text: str, option: str) -> datetime:
    """Return a day or a time; without a zone it is in UTC. Raises `BadConfigurationError`."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        fault = f"{option} = {text!r}: write a day or a time such as 2016-12-13T06:00"
        raise BadConfigurationError([fault]) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def format_time_range(start: datetime, end: datetime) -> str:
    """Return "START to END" in UTC: as days where both are midnights, else to the minute."""
    day = timedelta(days=1)
    are_midnights = (start - EPOCH) % day == (end - EPOCH) % day == timedelta(0)
    form = "%Y-%m-%d" if are_midnights else "%Y-%m-%d %H:%M"
    return f"{start.astimezone(UTC):{form}} to {end.astimezone(UTC):{form}}"
