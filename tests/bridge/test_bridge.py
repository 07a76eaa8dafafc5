import asyncio
from datetime import timedelta
from functools import partial

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.bridge.world import FakeOpener, World
from tests.builders import an_event
from tests.waiting import until
from trimtab.bridge.stream import Stream
from trimtab.bridge.workflow_starter import TemporalUnavailableError
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

HOUR = timedelta(hours=1)
DOWN = TemporalUnavailableError("UNAVAILABLE: connection refused")


async def test_every_event_is_opened_and_acknowledged(world: World) -> None:
    opener = FakeOpener()
    await world.publish("before")
    world.start(opener)
    await world.publish(*(f"event-{number}" for number in range(40)))

    await until(lambda: len(opener.opened) == 41)
    await until(world.settled)

    assert await world.dead() == []


async def test_nothing_is_acknowledged_before_temporal_has_accepted(world: World) -> None:
    opener = FakeOpener()
    opener.gate.clear()
    world.start(opener)
    [entry] = await world.publish("event-1")

    await until(lambda: opener.tried == 1)
    assert await world.pending() == {entry: 1}

    opener.gate.set()
    await until(world.settled)


async def test_a_second_delivery_of_an_event_is_acknowledged_too(world: World) -> None:
    opener = FakeOpener()
    await world.publish("event-1", "event-1")
    world.start(opener)

    await until(world.settled)

    assert opener.opened == ["event-1", "event-1"]


@pytest.mark.parametrize("raw", [b"not JSON", b"x" * 70_000, b'{"specversion": "1.0"}'])
async def test_what_is_no_event_goes_to_the_dead_letters_with_its_bytes(
    world: World, raw: bytes
) -> None:
    world.start(FakeOpener())
    entry = await world.publish_raw(raw)

    await until(world.settled)

    [letter] = await world.dead()
    assert letter["raw"].encode() == raw
    assert letter["id"] == entry
    assert letter["deliveries"] == "1"
    assert letter["reason"]
    assert letter["at"]


async def test_an_entry_without_an_event_is_buried_with_all_its_fields(world: World) -> None:
    world.start(FakeOpener())
    await world.publish_raw("42", field="temperature")

    await until(world.settled)

    assert (await world.dead())[0]["raw"] == "temperature=42"


async def test_one_bad_entry_does_not_stop_the_others(world: World) -> None:
    opener = FakeOpener()
    await world.publish("event-1")
    await world.publish_raw("bad")
    await world.publish("event-2")
    world.start(opener)

    await until(world.settled)

    assert sorted(opener.opened) == ["event-1", "event-2"]


async def test_what_fails_five_times_is_poison(world: World) -> None:
    opener = FakeOpener()
    opener.failure = ValueError("cannot be encoded")
    await world.publish("event-1")
    world.start(opener, claim_after=timedelta(milliseconds=50))

    await until(world.settled, seconds=20)

    [letter] = await world.dead()
    assert opener.tried == 5
    assert letter["deliveries"] == "5"
    assert "cannot be encoded" in letter["reason"]


async def test_what_kills_the_bridge_five_times_is_buried_unread(world: World) -> None:
    [entry] = await world.publish("event-1")
    for times in range(1, 6):
        opener = FakeOpener()
        opener.gate.clear()
        bridge = world.start(opener)
        await until(partial(getattr, opener, "tried"))
        await bridge.kill()
        assert await world.pending() == {entry: times}

    opener = FakeOpener()
    world.start(opener)
    await until(world.settled)

    assert opener.tried == 0
    assert "delivered 6 times" in (await world.dead())[0]["reason"]


async def test_while_temporal_is_down_nothing_is_acknowledged_or_counted(world: World) -> None:
    opener = FakeOpener()
    opener.failure = DOWN
    [entry] = await world.publish("event-1")
    for _ in range(7):
        bridge = world.start(opener)
        opener.tried = 0
        await until(lambda: opener.tried)
        await bridge.stop()
        assert await world.pending() == {entry: 0}

    opener.failure = None
    world.start(opener)
    await until(world.settled)

    assert opener.opened == ["event-1"]
    assert await world.dead() == []


async def test_two_bridges_do_not_poison_an_event_by_an_outage(world: World) -> None:
    opener = FakeOpener()
    opener.failure = DOWN
    [entry] = await world.publish("event-1")
    for consumer in ("one", "two"):
        world.start(opener, consumer=consumer, claim_after=timedelta(milliseconds=100))

    await asyncio.sleep(1.5)

    async def uncounted() -> bool:
        return (await world.pending())[entry] <= 1

    assert set(await world.pending()) == {entry}
    await until(uncounted)
    assert await world.dead() == []


async def test_an_outage_of_temporal_alarms_once_and_its_end_is_told(world: World) -> None:
    opener = FakeOpener()
    opener.failure = DOWN
    with capture_logs() as logs:
        world.start(opener)
        await world.publish("event-1", "event-2", "event-3")
        await until(lambda: opener.tried > 5)
        opener.failure = None
        await until(world.settled)

    events = [line["event"] for line in logs]
    assert events.count("temporal_unavailable") == 1
    assert events.count("temporal_available_again") == 1


async def test_two_bridges_share_the_work_and_open_each_event_once(world: World) -> None:
    openers = FakeOpener(), FakeOpener()
    for consumer, opener in zip(("one", "two"), openers, strict=True):
        world.start(opener, consumer=consumer)
    await world.publish(*(f"event-{number}" for number in range(60)))

    await until(world.settled)

    opened = openers[0].opened + openers[1].opened
    assert len(opened) == len(set(opened)) == 60


async def test_what_a_dead_bridge_left_is_claimed_by_another(world: World) -> None:
    stuck = FakeOpener()
    stuck.gate.clear()
    dying = world.start(stuck, consumer="one")
    await world.publish("event-1")
    await until(lambda: stuck.tried)
    await dying.kill()

    opener = FakeOpener()
    world.start(opener, consumer="two")
    await until(world.settled)

    assert opener.opened == ["event-1"]


async def test_what_another_still_works_on_is_not_claimed(world: World) -> None:
    slow, other = FakeOpener(), FakeOpener()
    slow.gate.clear()
    world.start(slow, consumer="one", claim_after=timedelta(seconds=1))
    await world.publish("event-1")
    await until(lambda: slow.tried)
    world.start(other, consumer="two", claim_after=timedelta(seconds=1))

    await asyncio.sleep(3.0)

    assert other.tried == 0
    slow.gate.set()
    await until(world.settled)


async def test_a_bridge_that_died_before_xack_finds_its_entry_again(world: World) -> None:
    opener = FakeOpener()
    opener.gate.clear()
    await world.publish("event-1")
    dying = world.start(opener, claim_after=HOUR)
    await until(lambda: opener.tried)
    await dying.kill()

    opener.gate.set()
    world.start(opener, claim_after=HOUR)
    await until(world.settled)

    assert opener.opened == ["event-1"]


async def test_no_more_starts_are_under_way_than_allowed(world: World) -> None:
    opener = FakeOpener()
    opener.gate.clear()
    world.start(opener, open_starts=8)
    await world.publish(*(f"event-{number}" for number in range(30)))

    await until(lambda: opener.under_way > 6)
    await asyncio.sleep(0.2)
    opener.gate.set()
    await until(world.settled)

    assert opener.most_under_way <= 8
    assert len(opener.opened) == 30


async def test_a_stop_finishes_what_is_under_way(world: World) -> None:
    opener = FakeOpener()
    opener.gate.clear()
    bridge = world.start(opener)
    await world.publish("event-1")
    await until(lambda: opener.tried)

    stopping = asyncio.create_task(bridge.stop())
    await asyncio.sleep(0.1)
    opener.gate.set()
    await stopping

    assert opener.opened == ["event-1"]
    assert await world.pending() == {}


async def test_a_deleted_group_is_made_again_with_an_alarm_and_nothing_is_lost(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    opener = FakeOpener()
    with capture_logs() as logs:
        world.start(opener)
        await world.publish("event-1")
        await until(world.settled)
        await redis.xgroup_destroy(names.stream, names.group)
        await world.publish("event-2")
        await until(lambda: "event-2" in opener.opened)
        await until(world.settled)

    assert [line["log_level"] for line in logs if line["event"] == "group_lost"] == ["error"]


async def test_a_deleted_stream_is_survived_too(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    opener = FakeOpener()
    world.start(opener)
    await world.publish("event-1")
    await until(world.settled)

    await redis.delete(names.stream)
    await world.publish("event-2")

    await until(lambda: "event-2" in opener.opened)


async def test_an_entry_whose_delivery_was_lost_on_the_way_is_found_again(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    opener = FakeOpener()
    world.start(opener, consumer="one", claim_after=HOUR)
    await world.publish("event-1")
    await until(world.settled)

    # The entry is delivered to consumer "one", but over a connection that it does not read.
    async with redis.pipeline(transaction=True) as pipe:
        pipe.xadd(names.stream, {"event": an_event("event-2").model_dump_json()})
        pipe.xreadgroup(names.group, "one", {names.stream: ">"})
        await pipe.execute()
    for client in await redis.client_list():
        if client["name"] == "trimtab-bridge":
            await redis.client_kill_filter(_id=client["id"])

    await until(world.settled)
    assert opener.opened == ["event-1", "event-2"]


async def test_an_entry_deleted_while_pending_raises_an_alarm(
    world: World, stream: Stream, redis: Redis, names: RedisSettings
) -> None:
    await stream.join()
    [lost] = await world.publish("event-1")
    await stream.fresh(block=BridgeSettings().block, count=1)
    await redis.xdel(names.stream, lost)

    with capture_logs() as logs:
        world.start(FakeOpener(), consumer="two", claim_after=timedelta(milliseconds=100))
        await until(world.settled)

    [alarm] = [line for line in logs if line["event"] == "entries_deleted_while_pending"]
    assert alarm["entries"] == [lost]


async def test_log_lines_of_an_incident_carry_its_correlation_id(world: World) -> None:
    with capture_logs() as logs:
        world.start(FakeOpener())
        await world.publish("event-7")
        await until(world.settled)

    [opened] = [line for line in logs if line["event"] == "incident_opened"]
    assert opened["workflow_id"] == "drift-response/parking/event-7"
