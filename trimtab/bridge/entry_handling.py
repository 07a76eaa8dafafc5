"""What becomes of one entry: its incident is opened, it is buried, or it stays pending."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from trimtab.bridge.backoff import Backoff
from trimtab.bridge.event_parsing import Refusal, read_event
from trimtab.bridge.stream import Entry, GroupLostError, Stream
from trimtab.bridge.workflow_starter import TemporalUnavailableError
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.names import drift_response_id

_log = structlog.get_logger(__name__)

STREAM_FAILURES: Final = (RedisError, OSError, GroupLostError)
"""What waiting may mend."""


class IncidentOpener(Protocol):
    """`bridge.opening.Opener`, or a test's."""

    async def open(self, event: DriftEvent, *, published_at: datetime) -> bool:
        """Start the workflow; False when the event already has one."""


@dataclass
class Held:
    """An entry in hand, and how often it counts as delivered."""

    entry: Entry
    deliveries: int
    accepted: bool = False
    """Whether Temporal has taken it, so that only the acknowledgement is left."""

    def forgive(self) -> None:
        """This delivery came to nothing for no fault of the entry: it does not count."""
        self.deliveries = self.entry.deliveries - 1


class Responder:
    """Decides what becomes of entries."""

    def __init__(
        self, stream: Stream, *, opener: IncidentOpener, max_deliveries: int, stop: asyncio.Event
    ) -> None:
        self._stream = stream
        self._opener = opener
        self._max_deliveries = max_deliveries
        self._stop = stop
        self._down_since: float | None = None

    async def respond(self, held: Held) -> bool:
        """Whether Temporal has taken the incident, so that the entry can be acknowledged."""
        entry = held.entry
        bind_contextvars(entry=entry.id)
        if entry.deliveries > self._max_deliveries:
            await self._bury(
                entry, f"delivered {entry.deliveries} times and never accepted: it may crash us"
            )
            return False
        try:
            event = read_event(entry.fields)
            bind_contextvars(correlation_id=event.correlationid)
            return await self._open(event, held)
        except Refusal as refusal:
            await self._bury(entry, str(refusal))
        except Exception as error:  # noqa: BLE001 - one entry must not stop the others
            await self._postpone(entry, error)
        return False

    async def _open(self, event: DriftEvent, held: Held) -> bool:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                new = await self._opener.open(event, published_at=held.entry.published_at)
            except TemporalUnavailableError as error:
                await self._forgive(held)
                self._mourn(error)
                await backoff.wait(self._stop)
            else:
                self._rejoice()
                _log.info(
                    "incident_opened" if new else "incident_already_open",
                    workflow_id=drift_response_id(event.subject, event.id),
                    model=event.subject,
                    severity=event.data.severity.value,
                )
                return True
        return False

    async def _forgive(self, held: Held) -> None:
        if held.deliveries == held.entry.deliveries:
            held.forgive()
            with contextlib.suppress(*STREAM_FAILURES):
                await self._stream.keep({held.entry.id: held.deliveries})

    async def _postpone(self, entry: Entry, error: Exception) -> None:
        """Leave it pending, to be claimed when idle; at the last delivery bury it."""
        if entry.deliveries >= self._max_deliveries:
            await self._bury(entry, f"failed {entry.deliveries} times; last {error!r:.1000}")
        else:
            _log.error("event_failed", deliveries=entry.deliveries, exc_info=error)

    async def _bury(self, entry: Entry, reason: str) -> None:
        backoff = Backoff()
        tried = False
        while not self._stop.is_set():
            try:
                if not tried or await self._stream.is_pending(entry.id):
                    tried = True
                    await self._stream.bury(entry, reason=reason)
                _log.error("event_buried", reason=reason, deliveries=entry.deliveries)
            except STREAM_FAILURES as error:
                _log.warning("burial_postponed", error=str(error))
                await backoff.wait(self._stop)
            else:
                return

    def _mourn(self, error: TemporalUnavailableError) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            _log.error(
                "temporal_unavailable",
                error=str(error),
                remedy="start Temporal or correct its address; events wait in the stream",
            )

    def _rejoice(self) -> None:
        if self._down_since is not None:
            seconds = round(time.monotonic() - self._down_since, 1)
            self._down_since = None
            _log.warning("temporal_available_again", seconds=seconds)
