"""What enters by the stream: bytes become a drift event, or the reason why they do not."""

from pydantic import ValidationError

from trimtab.contracts.drift import MAX_EVENT_BYTES, DriftEvent
from trimtab.contracts.validation_errors import format_validation_errors

EVENT_FIELD = b"event"
"""Field of a stream entry that holds the CloudEvents envelope as JSON."""
_MOST_FAULTS = 5


class Refusal(Exception):  # noqa: N818 - says what happened to the event
    """The event cannot be taken in, and never will be; says why and what to do."""


def read_event(fields: dict[bytes, bytes]) -> DriftEvent:
    """The event in a stream entry's fields; raises `Refusal` when there is none.

    Names are limited by their pattern, the size by `MAX_EVENT_BYTES` before anything is parsed.
    """
    raw = fields.get(EVENT_FIELD)
    if raw is None:
        there = b", ".join(sorted(fields))[:200].decode(errors="replace")
        msg = f"no field {EVENT_FIELD.decode()!r} but {there!r}: put the CloudEvent as JSON there"
        raise Refusal(msg)
    if len(raw) > MAX_EVENT_BYTES:
        msg = f"{len(raw)} bytes: an event has at most {MAX_EVENT_BYTES}; name fewer features"
        raise Refusal(msg)
    try:
        return DriftEvent.model_validate_json(raw)
    except ValidationError as error:
        faults = [f"event: {line}" for line in format_validation_errors(error)]
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise Refusal("; ".join(faults[:_MOST_FAULTS]) + more) from None
