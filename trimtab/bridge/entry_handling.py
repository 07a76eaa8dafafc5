"""Decides what becomes of one entry: its incident starts, it is a dead letter, or stays pending."""

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
from trimtab.bridge.event_parsing import EventRejectedError, parse_event
from trimtab.bridge.stream import GroupLostError, StreamConsumer
from trimtab.bridge.stream_entry import StreamEntry
from trimtab.bridge.workflow_starter import TemporalUnavailableError
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.names import build_drift_response_id

_log = structlog.get_logger(__name__)

STREAM_FAILURES: Final = (RedisError, OSError, GroupLostError)
"""Failures of the stream after which trying again may help."""


class IncidentStarter(Protocol):
    """Starts incidents: `workflow_starter.WorkflowStarter`, or a test's."""

    async def start(self, event: DriftEvent, *, published_at: datetime) -> bool:
        """Start the workflow; return False if the event already has one."""


class StartLimit(Protocol):
    """Says when another incident may be started: `incident_limit.IncidentLimit`."""

    def take_room(self) -> bool:
        """Return whether an incident may be started now, and count it if so."""

    async def wait_for_room(self, stop: asyncio.Event) -> bool:
        """Wait until an incident may be started; return False if `stop` is set before."""


class NoLimit:
    """Lets every incident start."""

    def take_room(self) -> bool:
        """Return True."""
        return True

    async def wait_for_room(self, stop: asyncio.Event) -> bool:
        """Return whether the bridge goes on."""
        return not stop.is_set()


@dataclass
class HeldEntry:
    """An entry in hand, and how many of its deliveries count."""

    entry: StreamEntry
    deliveries: int
    accepted: bool = False
    """Whether Temporal has accepted it, so that only the acknowledgement is left."""

    def uncount_delivery(self) -> None:
        """Do not count this delivery: the failure was not caused by the entry."""
        self.deliveries = self.entry.deliveries - 1


class EntryHandler:
    """Handles entries one by one; many at once."""

    def __init__(
        self,
        stream: StreamConsumer,
        *,
        starter: IncidentStarter,
        limit: StartLimit,
        max_deliveries: int,
        stop: asyncio.Event,
    ) -> None:
        self._stream = stream
        self._starter = starter
        self._limit = limit
        self._max_deliveries = max_deliveries
        self._stop = stop
        self._down_since: float | None = None

    async def handle(self, held: HeldEntry) -> bool:
        """Return whether Temporal has accepted the incident, so that the entry is acknowledged."""
        entry = held.entry
        bind_contextvars(entry=entry.id)
        if entry.deliveries > self._max_deliveries:
            # Earlier deliveries ended without a word, so this one may end the process too.
            await self._dead_letter(
                entry, f"delivered {entry.deliveries} times and never accepted: it may crash us"
            )
            return False
        try:
            event = parse_event(entry.fields)
            bind_contextvars(correlation_id=event.correlationid)
            return await self._start_incident(event, held)
        except EventRejectedError as rejection:
            await self._dead_letter(entry, str(rejection))
        except Exception as error:  # noqa: BLE001 - one entry must not stop the others
            await self._leave_pending(entry, error)
        return False

    async def _start_incident(self, event: DriftEvent, held: HeldEntry) -> bool:
        if not self._limit.take_room():
            # Waiting is no failure of the entry, however often this process dies meanwhile.
            await self._uncount_delivery(held)
            if not await self._limit.wait_for_room(self._stop):
                return False
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                new = await self._starter.start(event, published_at=held.entry.published_at)
            except TemporalUnavailableError as error:
                await self._uncount_delivery(held)
                self._log_outage(error)
                await backoff.wait(self._stop)
            else:
                self._log_recovery()
                _log.info(
                    "incident_opened" if new else "incident_already_open",
                    workflow_id=build_drift_response_id(event.subject, event.id),
                    model=event.subject,
                    severity=event.data.severity.value,
                )
                return True
        return False

    async def _uncount_delivery(self, held: HeldEntry) -> None:
        if held.deliveries == held.entry.deliveries:
            held.uncount_delivery()
            with contextlib.suppress(*STREAM_FAILURES):
                await self._stream.renew_claims({held.entry.id: held.deliveries})

    async def _leave_pending(self, entry: StreamEntry, error: Exception) -> None:
        """Leave an entry to be claimed when idle; after the last delivery it is a dead letter."""
        if entry.deliveries >= self._max_deliveries:
            await self._dead_letter(entry, f"failed {entry.deliveries} times; last {error!r:.1000}")
        else:
            _log.error("event_failed", deliveries=entry.deliveries, exc_info=error)

    async def _dead_letter(self, entry: StreamEntry, reason: str) -> None:
        """Move an entry to the dead letters, however often the stream fails meanwhile."""
        backoff = Backoff()
        tried = False
        while not self._stop.is_set():
            try:
                # A failed attempt may have moved it: a pending entry has not been moved.
                if not tried or await self._stream.is_pending(entry.id):
                    tried = True
                    await self._stream.move_to_dead_letters(entry, reason=reason)
                _log.error("event_buried", reason=reason, deliveries=entry.deliveries)
            except STREAM_FAILURES as error:
                _log.warning("burial_postponed", error=str(error))
                await backoff.wait(self._stop)
            else:
                return

    def _log_outage(self, error: TemporalUnavailableError) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            _log.error(
                "temporal_unavailable",
                error=str(error),
                remedy="start Temporal or correct its address; events wait in the stream",
            )

    def _log_recovery(self) -> None:
        if self._down_since is not None:
            seconds = round(time.monotonic() - self._down_since, 1)
            self._down_since = None
            _log.warning("temporal_available_again", seconds=seconds)
