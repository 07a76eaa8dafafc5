"""Parses entries of the stream: bytes become a drift event, or the reason why they do not."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from trimtab.contracts.drift import MAX_EVENT_BYTES, DriftEvent
from trimtab.contracts.event_bounds import find_implausible_values
from trimtab.contracts.validation_errors import format_validation_errors

EVENT_FIELD: Final = b"event"
"""Field of a stream entry that holds the CloudEvents envelope as JSON."""
_MAX_FAULTS: Final = 5
"""Faults that a message names."""


class EventRejectedError(Exception):
    """The event is not accepted and never will be; the message has the reason and the remedy."""


def parse_event(fields: dict[bytes, bytes]) -> DriftEvent:
    """Return the event in a stream entry's fields.

    The size is checked against `MAX_EVENT_BYTES` before anything is parsed; names are limited by
    their pattern.

    Raises:
        EventRejectedError: The fields hold no event.
    """
    raw = fields.get(EVENT_FIELD)
    if raw is None:
        found = b", ".join(sorted(fields))[:200].decode(errors="replace")
        msg = f"no field {EVENT_FIELD.decode()!r} but {found!r}: put the CloudEvent as JSON there"
        raise EventRejectedError(msg)
    if len(raw) > MAX_EVENT_BYTES:
        msg = f"{len(raw)} bytes: an event has at most {MAX_EVENT_BYTES}; name fewer features"
        raise EventRejectedError(msg)
    try:
        event = DriftEvent.model_validate_json(raw)
    except ValidationError as error:
        raise EventRejectedError(_join_faults(format_validation_errors(error))) from None
    if faults := find_implausible_values(event):
        raise EventRejectedError(_join_faults(faults))
    return event


def _join_faults(faults: Sequence[str]) -> str:
    shown = "; ".join(f"event: {line}" for line in faults[:_MAX_FAULTS])
    more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
    return shown + more
