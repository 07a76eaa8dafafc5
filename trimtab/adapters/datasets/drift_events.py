"""Publishes drift events: the Redis stream as a dataset that is only saved to."""

from collections.abc import Sequence
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from typing_extensions import override

from trimtab.adapters.event_keys import load_event_signer
from trimtab.adapters.event_stream import connect_stream
from trimtab.contracts.drift import MAX_EVENT_BYTES, DriftEvent
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import load_settings


class DriftEventsDataset(AbstractDataset[Sequence[DriftEvent], NoReturn]):
    """An append-only stream: one entry per event, its CloudEvents JSON in the field `event`.

    Events are signed with the key of the settings, unless their publisher signed them.

    An event that is published again keeps its id, so that it starts no second incident.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    @override
    def save(self, data: Sequence[DriftEvent]) -> None:
        """Publish the events in their order, if there are any."""
        if not data:
            return
        settings = load_settings()
        signer = load_event_signer(settings)
        payloads = [_encode_event(signer.sign(event)) for event in data]
        with connect_stream(settings) as server:
            for payload in payloads:
                server.xadd(settings.redis.stream, {"event": payload})

    @override
    def load(self) -> NoReturn:
        """Raise an error: only the bridge reads the stream."""
        msg = "the stream is only written to here: the bridge (starter.py) reads it"
        raise DatasetError(msg)

    @override
    def _describe(self) -> dict[str, Any]:
        return {}


def publish_events(events: Sequence[DriftEvent]) -> str:
    """Publish events outside of a pipeline, and return the stream's name.

    Raises:
        Unavailable: The stream does not answer.
        Refused: An event is too large.
    """
    try:
        DriftEventsDataset().save(events)
    except DatasetError as error:
        # Kedro wraps what a dataset raises.
        if isinstance(error.__cause__, Unavailable | Refused):
            raise error.__cause__ from None
        raise
    return load_settings().redis.stream


def _encode_event(event: DriftEvent) -> bytes:
    payload = event.model_dump_json().encode()
    if len(payload) > MAX_EVENT_BYTES:
        msg = f"event {event.id} has {len(payload)} bytes; at most {MAX_EVENT_BYTES} are allowed"
        raise Refused(msg)
    return payload
