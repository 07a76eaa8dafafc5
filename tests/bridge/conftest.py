"""A stream of its own for each test, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from tests.bridge.world import World
from trimtab.bridge.stream import StreamConsumer
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings


@pytest.fixture
def names() -> RedisSettings:
    stream = f"drift-{uuid4()}"
    return RedisSettings(stream=stream, dead_letters=f"{stream}.dead")


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def stream(valkey_url: str, names: RedisSettings) -> AsyncIterator[StreamConsumer]:
    opened = StreamConsumer.connect(
        valkey_url, names=names, reading=BridgeSettings(), consumer="one"
    )
    yield opened
    await opened.close()


@pytest.fixture
async def world(valkey_url: str, redis: Redis, names: RedisSettings) -> AsyncIterator[World]:
    made = World(valkey_url, redis=redis, names=names)
    yield made
    await asyncio.gather(*(bridge.stop() for bridge in made.bridges))
