"""Windows as people write them: "2016-12-13/2016-12-20", a day, or the last one."""

from datetime import UTC, datetime, timedelta
from typing import Final

from trimtab.contracts.model import ModelSpec
from trimtab.runtime.errors import BadConfigurationError

LAST: Final = "last"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def span_between(text: str, option: str) -> tuple[datetime, datetime]:
    """The span of "START/END", times without a zone in UTC; raises `BadConfigurationError`."""
    first, slash, second = text.partition("/")
    if not slash:
        raise BadConfigurationError([f"{option} = {text!r}: write START/END"])
    start, end = instant(first, option), instant(second, option)
    if end <= start:
        raise BadConfigurationError([f"{option} = {text!r}: its end is not after its start"])
    return start, end


def window_of(text: str, spec: ModelSpec) -> tuple[datetime, datetime]:
    """START/END, or the window that begins then; raises `BadConfigurationError`."""
    if "/" in text:
        return span_between(text, "--window")
    start = instant(text, "--window")
    return start, start + spec.window


def instant(text: str, option: str) -> datetime:
    """A day or an instant; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        fault = f"{option} = {text!r}: write a day or an instant such as 2016-12-13T06:00"
        raise BadConfigurationError([fault]) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def told(start: datetime, end: datetime) -> str:
    """A span for people, to the minute."""
    day = timedelta(days=1)
    whole = (start - _EPOCH) % day == (end - _EPOCH) % day == timedelta(0)
    form = "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M"
    return f"{start.astimezone(UTC):{form}} to {end.astimezone(UTC):{form}}"
