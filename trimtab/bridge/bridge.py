"""The loop from the stream to Temporal: every event is opened once or buried, and none is lost.

An entry is acknowledged only after Temporal has taken its incident. While Temporal is down,
nothing is acknowledged and no delivery counts; while Redis is down, what is in hand goes on.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog

from trimtab.bridge.backoff import Backoff
from trimtab.bridge.entry_handling import STREAM_FAILURES, Held, IncidentOpener, Responder
from trimtab.bridge.stream import Entry, GroupLostError, Stream
from trimtab.runtime.settings_sections import BridgeSettings

_log = structlog.get_logger(__name__)
_BATCH: Final = 16
_KEEP: Final = timedelta(hours=24)
"""How long what is done with stays in the stream, for people to look at."""
_TRIM_EVERY: Final = 60.0
_FINISH: Final = 6.0
"""Seconds that a stop waits for starts under way."""
_LAST_ACKNOWLEDGEMENTS: Final = 2.0
_GLANCE: Final = 0.25


class Bridge:
    """Reads, hands out to responders, acknowledges; one per process."""

    def __init__(
        self,
        stream: Stream,
        *,
        opener: IncidentOpener,
        settings: BridgeSettings,
        stop: asyncio.Event,
    ) -> None:
        self._stream = stream
        self._settings = settings
        self._stop = stop
        self._responder = Responder(
            stream, opener=opener, max_deliveries=settings.max_deliveries, stop=stop
        )
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepted: asyncio.Queue[str | None] = asyncio.Queue()
        """Entry ids; None after the last."""
        self._over = asyncio.Event()
        self._freed = asyncio.Event()
        self._claim_at = 0.0
        self._trim_at = time.monotonic() + _TRIM_EVERY

    async def run(self) -> None:
        """Work until told to stop; then finish what is under way and leave the rest pending."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._acknowledge_accepted())
            group.create_task(self._keep_what_is_held())
            try:
                await self._read()
                await self._finish()
            finally:
                # Told, not only cancelled: redis-py sometimes swallows a cancellation.
                self._over.set()
                self._accepted.put_nowait(None)
                for task in self._tasks:
                    task.cancel()

    async def _read(self) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                await self._join()
                await self._take_own_pending()
                while not self._stop.is_set():
                    await self._take_next()
                    backoff.reset()
            except GroupLostError as error:
                _log.error("group_lost", error=str(error), remedy="made again; nothing to do")
            except STREAM_FAILURES as error:
                _log.warning("redis_unavailable", error=str(error) or repr(error))
                await backoff.wait(self._stop)

    async def _join(self) -> None:
        if await self._stream.join():
            _log.warning("group_created", remedy="none when this is the first start")

    async def _take_own_pending(self) -> None:
        """What an earlier life of ours, or a lost reply, left behind."""
        after = "0"
        while not self._stop.is_set():
            entries = await self._stream.own_pending(after=after, count=await self._room())
            if not entries:
                return
            await self._take(entries)
            after = entries[-1].id

    async def _take_next(self) -> None:
        room = await self._room()
        if room < 1:
            return
        if time.monotonic() >= self._claim_at:
            entries, deleted = await self._stream.claimed(
                idle=self._settings.claim_after, count=room
            )
            await self._take(entries)
            self._tell_deleted(deleted)
            if self._stream.all_looked_at:
                self._claim_at = time.monotonic() + self._claim_period
        else:
            block = self._settings.block
            await self._take(await self._stream.fresh(block=block, count=min(room, _BATCH)))

    @property
    def _claim_period(self) -> float:
        return max(0.5, self._settings.claim_after.total_seconds() / 4)

    async def _room(self) -> int:
        """How many entries may be taken; waits for a few places, unless told to stop."""
        wanted = min(_BATCH, -(-self._settings.open_starts // 4))
        while (room := self._settings.open_starts - len(self._held)) < wanted:
            if self._stop.is_set():
                return 0
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE):
                    await self._freed.wait()
        return room

    async def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if not entry.fields:
                self._tell_deleted([entry.id])
                await self._stream.acknowledge([entry.id])
            elif entry.id not in self._held:
                held = self._held[entry.id] = Held(entry, entry.deliveries)
                task = asyncio.create_task(self._respond(held))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _tell_deleted(self, entry_ids: list[str]) -> None:
        if entry_ids:
            _log.error(
                "entries_deleted_while_pending",
                entries=entry_ids,
                remedy="do not trim the stream above what is pending; these events are lost",
            )

    async def _respond(self, held: Held) -> None:
        held.accepted = await self._responder.respond(held)
        if held.accepted:
            self._accepted.put_nowait(held.entry.id)
        elif not self._stop.is_set():
            self._release([held.entry.id])

    def _release(self, entry_ids: Iterable[str]) -> None:
        for entry_id in entry_ids:
            self._held.pop(entry_id, None)
        self._freed.set()

    async def _acknowledge_accepted(self) -> None:
        """One XACK for all that have been accepted meanwhile."""
        last = False
        while not last:
            batch = [await self._accepted.get()]
            while not self._accepted.empty():
                batch.append(self._accepted.get_nowait())
            last = None in batch
            if entry_ids := [entry_id for entry_id in batch if entry_id is not None]:
                await self._acknowledge(entry_ids)

    async def _acknowledge(self, entry_ids: list[str]) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._stream.acknowledge(entry_ids)
            except STREAM_FAILURES as error:
                _log.warning("acknowledgement_postponed", error=str(error) or repr(error))
                if self._over.is_set():
                    return
                await backoff.wait(self._over)
            else:
                self._release(entry_ids)
                return

    async def _keep_what_is_held(self) -> None:
        """Let nobody claim what we work on; and trim what everybody is done with."""
        while not await self._is_over(within=self._settings.claim_after / 4):
            try:
                await self._keep()
                if time.monotonic() >= self._trim_at:
                    self._trim_at = time.monotonic() + _TRIM_EVERY
                    await self._stream.trim(keep=_KEEP)
            except STREAM_FAILURES as error:
                _log.debug("upkeep_postponed", error=str(error))

    async def _is_over(self, *, within: timedelta) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._over.wait()
        return self._over.is_set()

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_FINISH)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACKNOWLEDGEMENTS):
                while any(held.accepted for held in self._held.values()):
                    self._freed.clear()
                    await self._freed.wait()
        for held in self._held.values():
            held.forgive()
        with contextlib.suppress(*STREAM_FAILURES):
            await self._keep()
        _log.info("bridge_stopped", left_pending=len(self._held))

    async def _keep(self) -> None:
        if self._held:
            await self._stream.keep(
                {entry_id: held.deliveries for entry_id, held in self._held.items()}
            )
