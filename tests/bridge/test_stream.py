from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tests.bridge.world import SOON, World
from trimtab.bridge.stream import GroupLostError, StreamConsumer
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

NO_TIME = timedelta(0)


@pytest.fixture
async def other(valkey_url: str, names: RedisSettings) -> StreamConsumer:
    return StreamConsumer.connect(valkey_url, names=names, reading=BridgeSettings(), consumer="two")


async def test_the_group_begins_at_the_streams_beginning(
    world: World, stream: StreamConsumer
) -> None:
    [entry_id] = await world.publish("event-1")

    assert await stream.create_group()
    assert not await stream.create_group()

    [entry] = await stream.read_new(block=SOON, count=10)
    assert (entry.id, entry.deliveries) == (entry_id, 1)
    assert datetime.now(UTC) - entry.published_at < timedelta(seconds=30)


async def test_each_delivery_is_counted_and_can_be_uncounted(
    world: World, stream: StreamConsumer
) -> None:
    await stream.create_group()
    [entry_id] = await world.publish("event-1")
    await stream.read_new(block=SOON, count=10)

    [again] = await stream.read_own_pending(after="0", count=10)
    assert again.deliveries == 2

    await stream.renew_claims({entry_id: 0})
    [again] = await stream.read_own_pending(after="0", count=10)
    assert again.deliveries == 1


async def test_only_idle_entries_are_claimed(
    world: World, stream: StreamConsumer, other: StreamConsumer
) -> None:
    await stream.create_group()
    await world.publish("event-1")
    await stream.read_new(block=SOON, count=10)

    assert await other.claim_idle(idle=timedelta(hours=1), count=10) == ([], [])
    [entry], deleted = await other.claim_idle(idle=NO_TIME, count=10)
    await other.close()

    assert entry.deliveries == 2
    assert deleted == []


async def test_an_entry_becomes_a_dead_letter_and_is_acknowledged_in_one_step(
    world: World, stream: StreamConsumer
) -> None:
    await stream.create_group()
    await world.publish_raw(b"\x00\xff not text")
    [entry] = await stream.read_new(block=SOON, count=10)

    await stream.move_to_dead_letters(entry, reason="why not")

    assert not await stream.is_pending(entry.id)
    assert entry.raw == b"\x00\xff not text"


async def test_an_entry_that_cannot_become_a_dead_letter_stays_pending(
    world: World, stream: StreamConsumer, redis: Redis, names: RedisSettings
) -> None:
    await stream.create_group()
    await world.publish_raw(b"no event")
    [entry] = await stream.read_new(block=SOON, count=10)
    await redis.set(names.dead_letters, "in the way")

    with pytest.raises(ResponseError, match="holds a string and no stream: rename or delete it"):
        await stream.move_to_dead_letters(entry, reason="why not")

    assert await stream.is_pending(entry.id)


async def test_a_missing_group_is_an_error_of_its_own(stream: StreamConsumer) -> None:
    with pytest.raises(GroupLostError):
        await stream.read_new(block=SOON, count=1)
    with pytest.raises(GroupLostError):
        await stream.claim_idle(idle=NO_TIME, count=1)
    with pytest.raises(GroupLostError):
        await stream.renew_claims({"1-1": 1})


async def test_trimming_spares_entries_that_are_unread_or_pending_or_young(
    redis: Redis, stream: StreamConsumer, names: RedisSettings
) -> None:
    raw = b"x" * 5000  # one entry fills a node of the stream, which is what trimming removes
    for number in range(1, 9):
        await redis.xadd(names.stream, {"event": raw}, id=f"{number}-1")
    await stream.create_group()
    read = await stream.read_new(block=SOON, count=6)
    await stream.acknowledge([entry.id for entry in read if entry.id != "4-1"])

    await stream.trim_processed(keep=timedelta(days=30_000))
    assert await redis.xlen(names.stream) == 8

    await stream.trim_processed(keep=timedelta(days=1))
    left = [entry_id for entry_id, _ in await redis.xrange(names.stream)]  # type: ignore[union-attr]  # redis-py's types cover every protocol
    assert left == ["4-1", "5-1", "6-1", "7-1", "8-1"]


async def test_trimming_spares_entries_that_another_group_has_not_read(
    redis: Redis, stream: StreamConsumer, names: RedisSettings
) -> None:
    await redis.xadd(names.stream, {"event": b"x" * 5000}, id="1-1")
    await redis.xgroup_create(names.stream, "analysts", id="0")
    await stream.create_group()
    [entry] = await stream.read_new(block=SOON, count=1)
    await stream.acknowledge([entry.id])

    await stream.trim_processed(keep=timedelta(days=1))

    assert await redis.xlen(names.stream) == 1
