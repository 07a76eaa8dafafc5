"""Publishes events while components are killed at random, and waits until no incident ends more."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from crash_oracle import count_closed, measure_size
from crash_stack import COMPONENTS, CrashStack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.waiting import until
from trimtab.adapters.event_keys import EventSigner
from trimtab.contracts.drift import DriftEvent

STUCK_SECONDS: Final = 120.0
"""Time without a line in any chain, after which what is open counts as stuck."""
_COLD_SECONDS: Final = 600.0
"""That time before the first incident has ended, for a cold worker is slow."""
_MAX_BACKLOG: Final = 100
"""Events that are published and not closed, beyond which the publisher waits."""
_MAX_DELAY_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.5
_LIMIT_SECONDS: Final = 3600.0


class Kill(NamedTuple):
    """One kill -9."""

    progress: float
    """Share of the events that are closed by then."""
    component: str
    delay: float
    """Seconds after that."""


@dataclass
class StormFigures:
    """How the run went."""

    kills: list[tuple[float, str]] = field(default_factory=list)
    """Second of the run, and component."""
    accepted: list[DriftEvent] = field(default_factory=list)
    """Events whose entry the stream has acknowledged."""
    seconds: float = 0.0
    recovery: float = 0.0
    """Seconds from the last component's return to the last ending; 0 if all had ended before."""


def plan_kills(count: int, *, seed: int) -> list[Kill]:
    """Return kills in their order; every component has its turn before one has two."""
    chance = random.Random(seed)  # noqa: S311 - a run that can be repeated
    components: list[str] = []
    while len(components) < count:
        components += chance.sample(COMPONENTS, len(COMPONENTS))
    progress = sorted(chance.uniform(0.02, 0.95) for _ in range(count))
    delays = [chance.uniform(0.0, _MAX_DELAY_SECONDS) for _ in range(count)]
    return [Kill(*each) for each in zip(progress, components[:count], delays, strict=True)]


class Storm:
    """One run over given events."""

    def __init__(
        self,
        stack: CrashStack,
        events: Sequence[DriftEvent],
        *,
        signer: EventSigner,
        stream: str,
        announced: Sequence[DriftEvent],
        progress: Callable[[str], None],
    ) -> None:
        self._stack = stack
        self._events = events
        self._signer = signer
        self._stream = stream
        self._progress = progress
        self._closed: set[str] = set()
        self._last_kill_over = 0.0
        self._last_end = 0.0
        self._total = len(events) + len(announced)
        self.figures = StormFigures(accepted=list(announced))

    async def run(self, kills: Sequence[Kill]) -> StormFigures:
        """Publish, kill, and wait for the end."""
        began = time.monotonic()
        publishing = asyncio.create_task(self._publish())
        killing = asyncio.create_task(self._kill(kills, began))
        try:
            await self._wait_for_the_end(publishing, killing)
        finally:
            for task in (publishing, killing):
                task.cancel()
            await asyncio.gather(publishing, killing, return_exceptions=True)
        self.figures.seconds = time.monotonic() - began
        self.figures.recovery = max(0.0, self._last_end - self._last_kill_over)
        return self.figures

    async def _publish(self) -> None:
        for event in self._events:
            await until(self._has_room, seconds=_LIMIT_SECONDS)
            await self._publish_one(event)

    def _has_room(self) -> bool:
        return len(self.figures.accepted) - len(self._closed) < _MAX_BACKLOG

    def _has_come_to(self, progress: float) -> bool:
        return len(self._closed) >= progress * self._total

    async def _publish_one(self, event: DriftEvent) -> None:
        """Add the entry, again and again until the stream has accepted it."""
        fields = {"event": self._signer.sign(event).model_dump_json()}
        while True:
            try:
                async with Redis.from_url(self._stack.redis, socket_timeout=5) as redis:
                    await redis.xadd(self._stream, fields)  # type: ignore[arg-type]
            except (RedisError, OSError):
                await asyncio.sleep(_POLL_SECONDS)
            else:
                self.figures.accepted.append(event)
                return

    async def _kill(self, kills: Sequence[Kill], began: float) -> None:
        for kill in kills:
            await until(partial(self._has_come_to, kill.progress), seconds=_LIMIT_SECONDS)
            await asyncio.sleep(kill.delay)
            component = self._stack.components[kill.component]
            await until(component.kill, seconds=_LIMIT_SECONDS)  # it may be dead, and not yet back
            self.figures.kills.append((time.monotonic() - began, kill.component))
        await asyncio.sleep(1.0)
        for component in self._stack.components.values():
            await component.wait_until_ready()
        self._last_kill_over = time.monotonic()

    async def _wait_for_the_end(
        self, publishing: asyncio.Task[None], killing: asyncio.Task[None]
    ) -> None:
        began = quiet_since = time.monotonic()
        size = 0
        while len(self._closed) < self._total or not killing.done():
            await asyncio.sleep(_POLL_SECONDS)
            for task in (publishing, killing):
                if task.done():
                    task.result()
            before = len(self._closed)
            await asyncio.to_thread(count_closed, self._folder, self._closed)
            now = time.monotonic()
            if len(self._closed) > before:
                self._last_end = now
            if (grown := await asyncio.to_thread(measure_size, self._folder)) > size:
                size, quiet_since = grown, now
            killed = len(self.figures.kills)
            self._progress(f"{len(self._closed)} of {self._total} ended, {killed} kills")
            patience = STUCK_SECONDS if self._closed else _COLD_SECONDS
            if now - max(quiet_since, self._last_kill_over) > patience:
                return
            if now - began > _LIMIT_SECONDS:
                return

    @property
    def _folder(self) -> Path:
        return self._stack.home / "audit"
