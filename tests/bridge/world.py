"""Bridges on a real stream, and a starter that obeys the test."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from tests.builders import an_event
from trimtab.bridge.bridge import Bridge
from trimtab.bridge.entry_handling import IncidentStarter, StartLimit
from trimtab.bridge.stream import StreamConsumer
from trimtab.contracts.drift import DriftEvent
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

SOON = timedelta(milliseconds=50)


class FakeStarter:
    """Remembers what it started; fails as long as `failure` is set."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.started: list[str] = []
        self.tried = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most_under_way = 0

    async def start(self, event: DriftEvent, *, published_at: datetime) -> bool:
        self.tried += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.failure:
            raise self.failure
        new = event.id not in self.started
        self.started.append(event.id)
        return new


class RunningBridge:
    """A bridge, its connection, and how to stop or kill it."""

    def __init__(self, bridge: Bridge, *, stream: StreamConsumer, stop: asyncio.Event) -> None:
        self._stop = stop
        self._stream = stream
        self._task = asyncio.create_task(bridge.run())

    async def stop(self) -> None:
        """As SIGTERM does."""
        self._stop.set()
        if not self._task.done():
            await self._task
        await self._stream.close()

    async def kill(self) -> None:
        """As kill -9 does: nothing is finished or given back."""
        while not self._task.done():
            self._task.cancel()  # more than once: redis-py sometimes swallows a cancellation
            await asyncio.wait([self._task], timeout=0.2)
        await self._stream.close()


class World:
    """One stream and the bridges that read it."""

    def __init__(self, url: str, *, redis: Redis, names: RedisSettings) -> None:
        self._url = url
        self._redis = redis
        self._names = names
        self.bridges: list[RunningBridge] = []

    def start(
        self,
        starter: IncidentStarter,
        *,
        consumer: str = "one",
        limit: StartLimit | None = None,
        **settings: Any,
    ) -> RunningBridge:
        defaults = {"block": SOON, "claim_after": timedelta(milliseconds=400)}
        reading = BridgeSettings(**{**defaults, **settings})
        stream = StreamConsumer.connect(
            self._url, names=self._names, reading=reading, consumer=consumer
        )
        stop = asyncio.Event()
        bridge = Bridge(stream, starter=starter, settings=reading, stop=stop, limit=limit)
        running = RunningBridge(bridge, stream=stream, stop=stop)
        self.bridges.append(running)
        return running

    async def publish(self, *event_ids: str) -> list[str]:
        """One event each, with `parking` for a model."""
        return [
            await self.publish_raw(an_event(event_id).model_dump_json()) for event_id in event_ids
        ]

    async def publish_raw(self, raw: str | bytes, field: str = "event") -> str:
        return str(await self._redis.xadd(self._names.stream, {field: raw}))

    async def pending(self) -> dict[str, int]:
        """Entry id to deliveries."""
        entries = await self._redis.xpending_range(
            self._names.stream, self._names.group, min="-", max="+", count=1000
        )
        return {str(entry["message_id"]): int(entry["times_delivered"]) for entry in entries}

    async def dead(self) -> list[dict[str, str]]:
        letters = await self._redis.xrange(self._names.dead_letters)
        return [dict(fields) for _, fields in letters]  # type: ignore[union-attr,arg-type]  # redis-py's types cover every protocol

    async def settled(self) -> bool:
        """Whether every published entry has been delivered, and acknowledged or given up."""
        groups = await self._redis.xinfo_groups(self._names.stream)
        return bool(groups) and groups[0]["lag"] == 0 and groups[0]["pending"] == 0
