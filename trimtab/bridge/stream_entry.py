"""One entry of the stream, and the forms in which Redis gives it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from trimtab.bridge.event_parsing import EVENT_FIELD

RawEntry = tuple[bytes, dict[bytes, bytes]]
"""Id and fields."""


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry as it was delivered."""

    id: str
    fields: dict[bytes, bytes]
    """Empty when the entry was deleted from the stream while pending."""
    deliveries: int
    """Number of deliveries, including this one."""

    @property
    def published_at(self) -> datetime:
        """Time at which it entered the stream, by the Redis server's clock."""
        milliseconds, _ = parse_entry_id(self.id)
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)

    @property
    def raw(self) -> bytes:
        """The event's bytes, or all fields if that field is missing."""
        if EVENT_FIELD in self.fields:
            return self.fields[EVENT_FIELD]
        return b"\n".join(name + b"=" + value for name, value in self.fields.items())


def parse_entry_id(entry_id: str | bytes) -> tuple[int, int]:
    """Return an id's milliseconds since 1970 and its number within the millisecond."""
    milliseconds, _, number = decode_text(entry_id).partition("-")
    return int(milliseconds), int(number or 0)


def unpack_entries(reply: object) -> list[RawEntry]:
    """Return the entries in a reply to XREADGROUP on one stream, which is empty for none."""
    streams = cast("Sequence[Any]", reply)  # redis-py's type covers every protocol
    return list(streams[0][1]) if streams else []


def decode_text(text: object) -> str:
    """Return the text of a reply, which is bytes for most commands."""
    return text.decode() if isinstance(text, bytes) else str(text)
