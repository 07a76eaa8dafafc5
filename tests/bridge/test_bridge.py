import asyncio
from datetime import timedelta
from functools import partial

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.bridge.world import FakeStarter, World
from tests.builders import a_feature_drift, an_event
from tests.waiting import until
from trimtab.bridge.event_parsing import EventRejectedError
from trimtab.bridge.stream import StreamConsumer
from trimtab.bridge.workflow_starter import TemporalUnavailableError
from trimtab.runtime.settings_sections import BridgeSettings, RedisSettings

HOUR = timedelta(hours=1)
DOWN = TemporalUnavailableError("UNAVAILABLE: connection refused")


async def test_every_event_starts_an_incident_and_is_acknowledged(world: World) -> None:
    starter = FakeStarter()
    await world.publish("before")
    world.start(starter)
    await world.publish(*(f"event-{number}" for number in range(40)))

    await until(lambda: len(starter.started) == 41)
    await until(world.settled)

    assert await world.dead() == []


async def test_nothing_is_acknowledged_before_temporal_has_accepted(world: World) -> None:
    starter = FakeStarter()
    starter.gate.clear()
    world.start(starter)
    [entry] = await world.publish("event-1")

    await until(lambda: starter.tried == 1)
    assert await world.pending() == {entry: 1}

    starter.gate.set()
    await until(world.settled)


async def test_a_second_delivery_of_an_event_is_acknowledged_too(world: World) -> None:
    starter = FakeStarter()
    await world.publish("event-1", "event-1")
    world.start(starter)

    await until(world.settled)

    assert starter.started == ["event-1", "event-1"]


@pytest.mark.parametrize("raw", [b"not JSON", b"x" * 70_000, b'{"specversion": "1.0"}'])
async def test_an_entry_that_is_no_event_becomes_a_dead_letter_with_its_bytes(
    world: World, raw: bytes
) -> None:
    world.start(FakeStarter())
    entry = await world.publish_raw(raw)

    await until(world.settled)

    [letter] = await world.dead()
    assert letter["raw"].encode() == raw
    assert letter["id"] == entry
    assert letter["deliveries"] == "1"
    assert letter["reason"]
    assert letter["at"]


async def test_an_entry_without_an_event_becomes_a_dead_letter_with_all_its_fields(
    world: World,
) -> None:
    world.start(FakeStarter())
    await world.publish_raw("42", field="temperature")

    await until(world.settled)

    assert (await world.dead())[0]["raw"] == "temperature=42"


async def test_one_bad_entry_does_not_stop_the_others(world: World) -> None:
    starter = FakeStarter()
    await world.publish("event-1")
    await world.publish_raw("bad")
    await world.publish("event-2")
    world.start(starter)

    await until(world.settled)

    assert sorted(starter.started) == ["event-1", "event-2"]


async def test_an_entry_that_fails_five_times_becomes_a_dead_letter(world: World) -> None:
    starter = FakeStarter()
    starter.failure = ValueError("cannot be encoded")
    await world.publish("event-1")
    world.start(starter, claim_after=timedelta(milliseconds=50))

    await until(world.settled, seconds=20)

    [letter] = await world.dead()
    assert starter.tried == 5
    assert letter["deliveries"] == "5"
    assert "cannot be encoded" in letter["reason"]


async def test_an_entry_that_kills_the_bridge_five_times_becomes_a_dead_letter_unread(
    world: World,
) -> None:
    [entry] = await world.publish("event-1")
    for times in range(1, 6):
        starter = FakeStarter()
        starter.gate.clear()
        bridge = world.start(starter)
        await until(partial(getattr, starter, "tried"))
        await bridge.kill()
        assert await world.pending() == {entry: times}

    starter = FakeStarter()
    world.start(starter)
    await until(world.settled)

    assert starter.tried == 0
    assert "delivered 6 times" in (await world.dead())[0]["reason"]


async def test_while_temporal_is_down_nothing_is_acknowledged_or_counted(world: World) -> None:
    starter = FakeStarter()
    starter.failure = DOWN
    [entry] = await world.publish("event-1")
    for _ in range(7):
        bridge = world.start(starter)
        starter.tried = 0
        await until(lambda: starter.tried)
        await bridge.stop()
        assert await world.pending() == {entry: 0}

    starter.failure = None
    world.start(starter)
    await until(world.settled)

    assert starter.started == ["event-1"]
    assert await world.dead() == []


async def test_an_outage_makes_no_dead_letter_of_an_event_that_two_bridges_hold(
    world: World,
) -> None:
    starter = FakeStarter()
    starter.failure = DOWN
    [entry] = await world.publish("event-1")
    for consumer in ("one", "two"):
        world.start(starter, consumer=consumer, claim_after=timedelta(milliseconds=100))

    await asyncio.sleep(1.5)

    async def uncounted() -> bool:
        return (await world.pending())[entry] <= 1

    assert set(await world.pending()) == {entry}
    await until(uncounted)
    assert await world.dead() == []


async def test_an_outage_of_temporal_and_its_end_are_logged_once_each(world: World) -> None:
    starter = FakeStarter()
    starter.failure = DOWN
    with capture_logs() as logs:
        world.start(starter)
        await world.publish("event-1", "event-2", "event-3")
        await until(lambda: starter.tried > 5)
        starter.failure = None
        await until(world.settled)

    events = [line["event"] for line in logs]
    assert events.count("temporal_unavailable") == 1
    assert events.count("temporal_available_again") == 1


async def test_two_bridges_share_the_work_and_start_each_incident_once(world: World) -> None:
    starters = FakeStarter(), FakeStarter()
    for consumer, starter in zip(("one", "two"), starters, strict=True):
        world.start(starter, consumer=consumer)
    await world.publish(*(f"event-{number}" for number in range(60)))

    await until(world.settled)

    started = starters[0].started + starters[1].started
    assert len(started) == len(set(started)) == 60


async def test_entries_that_a_dead_bridge_left_are_claimed_by_another(world: World) -> None:
    stuck = FakeStarter()
    stuck.gate.clear()
    dying = world.start(stuck, consumer="one")
    await world.publish("event-1")
    await until(lambda: stuck.tried)
    await dying.kill()

    starter = FakeStarter()
    world.start(starter, consumer="two")
    await until(world.settled)

    assert starter.started == ["event-1"]


async def test_an_entry_that_another_bridge_works_on_is_not_claimed(world: World) -> None:
    slow, other = FakeStarter(), FakeStarter()
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
    starter = FakeStarter()
    starter.gate.clear()
    await world.publish("event-1")
    dying = world.start(starter, claim_after=HOUR)
    await until(lambda: starter.tried)
    await dying.kill()

    starter.gate.set()
    world.start(starter, claim_after=HOUR)
    await until(world.settled)

    assert starter.started == ["event-1"]


async def test_no_more_starts_are_under_way_than_allowed(world: World) -> None:
    starter = FakeStarter()
    starter.gate.clear()
    world.start(starter, open_starts=8)
    await world.publish(*(f"event-{number}" for number in range(30)))

    await until(lambda: starter.under_way > 6)
    await asyncio.sleep(0.2)
    starter.gate.set()
    await until(world.settled)

    assert starter.most_under_way <= 8
    assert len(starter.started) == 30


async def test_a_stop_finishes_starts_under_way(world: World) -> None:
    starter = FakeStarter()
    starter.gate.clear()
    bridge = world.start(starter)
    await world.publish("event-1")
    await until(lambda: starter.tried)

    stopping = asyncio.create_task(bridge.stop())
    await asyncio.sleep(0.1)
    starter.gate.set()
    await stopping

    assert starter.started == ["event-1"]
    assert await world.pending() == {}


async def test_a_deleted_group_is_made_again_with_an_alarm_and_nothing_is_lost(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    starter = FakeStarter()
    with capture_logs() as logs:
        world.start(starter)
        await world.publish("event-1")
        await until(world.settled)
        await redis.xgroup_destroy(names.stream, names.group)
        await world.publish("event-2")
        await until(lambda: "event-2" in starter.started)
        await until(world.settled)

    assert [line["log_level"] for line in logs if line["event"] == "group_lost"] == ["error"]


async def test_a_deleted_stream_is_survived_too(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    starter = FakeStarter()
    world.start(starter)
    await world.publish("event-1")
    await until(world.settled)

    await redis.delete(names.stream)
    await world.publish("event-2")

    await until(lambda: "event-2" in starter.started)


async def test_an_entry_whose_delivery_was_lost_on_the_way_is_found_again(
    world: World, redis: Redis, names: RedisSettings
) -> None:
    starter = FakeStarter()
    world.start(starter, consumer="one", claim_after=HOUR)
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
    assert starter.started == ["event-1", "event-2"]


async def test_an_entry_deleted_while_pending_raises_an_alarm(
    world: World, stream: StreamConsumer, redis: Redis, names: RedisSettings
) -> None:
    await stream.create_group()
    [lost] = await world.publish("event-1")
    await stream.read_new(block=BridgeSettings().block, count=1)
    await redis.xdel(names.stream, lost)

    with capture_logs() as logs:
        world.start(FakeStarter(), consumer="two", claim_after=timedelta(milliseconds=100))
        await until(world.settled)

    [alarm] = [line for line in logs if line["event"] == "entries_deleted_while_pending"]
    assert alarm["entries"] == [lost]


async def test_log_lines_of_an_incident_carry_its_correlation_id(world: World) -> None:
    with capture_logs() as logs:
        world.start(FakeStarter())
        await world.publish("event-7")
        await until(world.settled)

    [opened] = [line for line in logs if line["event"] == "incident_opened"]
    assert opened["workflow_id"] == "drift-response/parking/event-7"


async def test_an_event_whose_id_is_taken_becomes_a_dead_letter_with_the_reason(
    world: World,
) -> None:
    """Rows 11 and 18 of cases/authority.md: such an event was acknowledged and gone."""
    starter = FakeStarter()
    starter.failure = EventRejectedError("incident parking/event-1 was opened with other content")
    await world.publish("event-1")
    with capture_logs() as logs:
        bridge = world.start(starter)
        await until(world.settled)
        await bridge.stop()  # it logs after the entry has moved

    [letter] = await world.dead()
    assert letter["reason"] == "incident parking/event-1 was opened with other content"
    assert [each["log_level"] for each in logs if each["event"] == "event_buried"] == ["error"]


async def test_an_event_that_cannot_be_true_becomes_a_dead_letter(world: World) -> None:
    starter = FakeStarter()
    impossible = an_event(features=(a_feature_drift(psi=1e308),))
    await world.publish_raw(impossible.model_dump_json())
    world.start(starter)

    await until(world.settled)

    [letter] = await world.dead()
    assert "data.features.0.psi = 1e+308" in letter["reason"]
    assert starter.tried == 0
