"""Moves events from the stream to Temporal: each starts one incident or is a dead letter.

An entry is acknowledged only after Temporal has accepted its incident. While Temporal is down,
nothing is acknowledged and no delivery counts; while Redis is down, the entries in hand go on.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog

from trimtab.bridge.acknowledger import Acknowledger
from trimtab.bridge.backoff import Backoff
from trimtab.bridge.entry_handling import (
    STREAM_FAILURES,
    EntryHandler,
    HeldEntry,
    IncidentStarter,
    NoLimit,
    StartLimit,
)
from trimtab.bridge.stream import GroupLostError, StreamConsumer
from trimtab.bridge.stream_entry import StreamEntry
from trimtab.runtime.settings_sections import BridgeSettings

_log = structlog.get_logger(__name__)
_MAX_BATCH: Final = 16
_KEEP: Final = timedelta(hours=24)
"""Time that processed entries stay in the stream, for people to read."""
_TRIM_SECONDS: Final = 60.0
"""Time between two trims."""
_FINISH_SECONDS: Final = 6.0
"""Time that a stop waits for starts under way."""
_LAST_ACKNOWLEDGEMENTS_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.25


class Bridge:
    """Reads entries, hands them to the handler and acknowledges them; one per process."""

    def __init__(
        self,
        stream: StreamConsumer,
        *,
        starter: IncidentStarter,
        settings: BridgeSettings,
        stop: asyncio.Event,
        limit: StartLimit | None = None,
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._stop = stop
        self._handler = EntryHandler(
            stream,
            starter=starter,
            limit=limit or NoLimit(),
            max_deliveries=settings.max_deliveries,
            stop=stop,
        )
        self._acknowledger = Acknowledger(stream, on_acknowledged=self._release)
        self._held: dict[str, HeldEntry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._freed = asyncio.Event()
        self._claim_at = 0.0
        self._trim_at = time.monotonic() + _TRIM_SECONDS

    async def run(self) -> None:
        """Work until `stop` is set; then finish starts under way and leave the rest pending."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._acknowledger.run())
            group.create_task(self._maintain_stream())
            try:
                await self._read_stream()
                await self._finish()
            finally:
                # Events as well as cancellation: redis-py sometimes swallows a cancellation.
                self._over.set()
                self._acknowledger.close()
                for task in self._tasks:
                    task.cancel()

    async def _read_stream(self) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                await self._create_group()
                await self._read_own_pending()
                while not self._stop.is_set():
                    await self._read_next()
                    backoff.reset()
            except GroupLostError as error:
                _log.error("group_lost", error=str(error), remedy="made again; nothing to do")
            except STREAM_FAILURES as error:
                _log.warning("redis_unavailable", error=str(error) or repr(error))
                await backoff.wait(self._stop)

    async def _create_group(self) -> None:
        if await self._stream.create_group():
            _log.warning("group_created", remedy="none when this is the first start")

    async def _read_own_pending(self) -> None:
        """Read what an earlier process of this name, or a lost reply, left behind."""
        after = "0"
        while not self._stop.is_set():
            count = await self._wait_for_capacity()
            entries = await self._stream.read_own_pending(after=after, count=count)
            if not entries:
                return
            await self._hand_out(entries)
            after = entries[-1].id

    async def _read_next(self) -> None:
        capacity = await self._wait_for_capacity()
        if capacity < 1:
            return
        if time.monotonic() >= self._claim_at:
            entries, deleted = await self._stream.claim_idle(
                idle=self._settings.claim_after, count=capacity
            )
            await self._hand_out(entries)
            self._log_deleted(deleted)
            if self._stream.has_examined_all:
                self._claim_at = time.monotonic() + self._claim_period
        else:
            count = min(capacity, _MAX_BATCH)
            block = self._settings.block
            await self._hand_out(await self._stream.read_new(block=block, count=count))

    @property
    def _claim_period(self) -> float:
        return max(0.5, self._settings.claim_after.total_seconds() / 4)

    async def _wait_for_capacity(self) -> int:
        """Return how many entries may be read; wait until it is worth a read, or `stop` is set."""
        wanted = min(_MAX_BATCH, -(-self._settings.open_starts // 4))
        while (capacity := self._settings.open_starts - len(self._held)) < wanted:
            if self._stop.is_set():
                return 0
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._freed.wait()
        return capacity

    async def _hand_out(self, entries: Iterable[StreamEntry]) -> None:
        for entry in entries:
            if not entry.fields:
                self._log_deleted([entry.id])
                await self._stream.acknowledge([entry.id])
            elif entry.id not in self._held:
                held = self._held[entry.id] = HeldEntry(entry, entry.deliveries)
                task = asyncio.create_task(self._handle(held))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _log_deleted(self, entry_ids: list[str]) -> None:
        if entry_ids:
            _log.error(
                "entries_deleted_while_pending",
                entries=entry_ids,
                remedy="do not trim the stream above what is pending; these events are lost",
            )

    async def _handle(self, held: HeldEntry) -> None:
        held.accepted = await self._handler.handle(held)
        if held.accepted:
            self._acknowledger.add(held.entry.id)
        elif not self._stop.is_set():
            self._release([held.entry.id])

    def _release(self, entry_ids: Iterable[str]) -> None:
        for entry_id in entry_ids:
            self._held.pop(entry_id, None)
        self._freed.set()

    async def _maintain_stream(self) -> None:
        """Keep others from claiming the entries in hand, and trim processed ones."""
        while not await self._is_over(within=self._settings.claim_after / 4):
            try:
                await self._renew_claims()
                if time.monotonic() >= self._trim_at:
                    self._trim_at = time.monotonic() + _TRIM_SECONDS
                    await self._stream.trim_processed(keep=_KEEP)
            except STREAM_FAILURES as error:
                _log.debug("upkeep_postponed", error=str(error))

    async def _is_over(self, *, within: timedelta) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._over.wait()
        return self._over.is_set()

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_FINISH_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACKNOWLEDGEMENTS_SECONDS):
                while any(held.accepted for held in self._held.values()):
                    self._freed.clear()
                    await self._freed.wait()
        for held in self._held.values():
            held.uncount_delivery()
        with contextlib.suppress(*STREAM_FAILURES):
            await self._renew_claims()
        _log.info("bridge_stopped", left_pending=len(self._held))

    async def _renew_claims(self) -> None:
        if self._held:
            await self._stream.renew_claims(
                {entry_id: held.deliveries for entry_id, held in self._held.items()}
            )
