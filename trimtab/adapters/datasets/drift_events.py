"""The Redis Stream of drift events as a dataset: what is saved to it is published."""

from collections.abc import Sequence
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from trimtab.adapters.event_stream import connect_stream
from trimtab.contracts.drift import MAX_EVENT_BYTES, DriftEvent
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import load_settings


class DriftEventsDataset(AbstractDataset[Sequence[DriftEvent], NoReturn]):
    """Append-only: an entry per event, its CloudEvents JSON in the field `event`.

    An event that is published again keeps its id, so that it is no second incident.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def save(self, data: Sequence[DriftEvent]) -> None:
        """Publish the events in their order; none is fine."""
        if not data:
            return
        payloads = [_payload(event) for event in data]
        settings = load_settings()
        with connect_stream(settings) as server:
            for payload in payloads:
                server.xadd(settings.redis.stream, {"event": payload})

    def load(self) -> NoReturn:
        """Only the bridge reads the stream."""
        msg = "the stream is only written to here: the bridge (starter.py) reads it"
        raise DatasetError(msg)

    def _describe(self) -> dict[str, Any]:
        return {}


def publish(events: Sequence[DriftEvent]) -> str:
    """Save them outside of a pipeline, and return the stream's name.

    Raises `Unavailable` and `Refused` themselves, not Kedro's error around them.
    """
    try:
        DriftEventsDataset().save(events)
    except DatasetError as error:
        if isinstance(error.__cause__, Unavailable | Refused):
            raise error.__cause__ from None
        raise
    return load_settings().redis.stream


def _payload(event: DriftEvent) -> bytes:
    payload = event.model_dump_json().encode()
    if len(payload) > MAX_EVENT_BYTES:
        msg = f"event {event.id} has {len(payload)} bytes; at most {MAX_EVENT_BYTES} are allowed"
        raise Refused(msg)
    return payload
