"""The bridge opens no more incidents than can be investigated in time; the others wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from structlog.testing import capture_logs
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from tests.bridge.world import FakeStarter, World
from tests.waiting import until
from trimtab.bridge.incident_limit import IncidentLimit
from trimtab.contracts import names
from trimtab.contracts.incident import Stage
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect_temporal
from workflows import options


class Limit:
    """Has room for as many as the test says."""

    def __init__(self, room: int) -> None:
        self.room = room

    def take_room(self) -> bool:
        if self.room < 1:
            return False
        self.room -= 1
        return True

    async def wait_for_room(self, stop: asyncio.Event) -> bool:
        while not stop.is_set():
            if self.take_room():
                return True
            await asyncio.sleep(0.01)
        return False


async def test_events_beyond_the_limit_wait_in_the_stream_and_start_later(
    world: World, redis: Redis
) -> None:
    starter, limit = FakeStarter(), Limit(2)
    await world.publish(*(f"event-{number}" for number in range(5)))

    world.start(starter, limit=limit)
    await until(lambda: len(starter.started) == 2)
    await asyncio.sleep(0.5)

    assert len(starter.started) == 2
    assert len(await world.pending()) == 3
    limit.room = 3
    await until(world.settled)
    assert sorted(starter.started) == [f"event-{number}" for number in range(5)]


async def test_waiting_is_not_held_against_an_event_however_often_the_bridge_dies(
    world: World,
) -> None:
    starter = FakeStarter()
    await world.publish("event-1")
    for _ in range(4):
        bridge = world.start(starter, limit=Limit(0), max_deliveries=2)
        await until(lambda: _is_pending(world))
        await asyncio.sleep(0.2)
        await bridge.kill()

    world.start(starter, limit=Limit(1), max_deliveries=2)

    await until(world.settled)
    assert starter.started == ["event-1"]
    assert await world.dead() == []


async def test_a_stop_leaves_waiting_events_for_the_next_bridge(world: World) -> None:
    starter = FakeStarter()
    await world.publish("event-1")
    bridge = world.start(starter, limit=Limit(0))
    await until(lambda: _is_pending(world))

    await bridge.stop()
    world.start(starter, limit=Limit(1))

    await until(world.settled)
    assert starter.started == ["event-1"]


async def _is_pending(world: World) -> bool:
    with contextlib.suppress(ResponseError):  # the group is not there yet
        return bool(await world.pending())
    return False


Handle = WorkflowHandle[object, object]


@pytest.fixture
async def incidents(temporal_client: Client) -> AsyncIterator["Incidents"]:
    made = Incidents(temporal_client)
    await made.end_all()
    yield made
    await made.end_all()


class Incidents:
    """Workflows that nobody works on, each at a stage of a test's choice."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def open(self, stage: Stage) -> Handle:
        return await self.client.start_workflow(
            names.DRIFT_RESPONSE,
            id=f"drift-response/limit/{uuid4()}",
            task_queue="nobody-works-here",
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(options.STAGE_KEY, stage.value)]
            ),
        )

    async def end_all(self) -> None:
        query = f"WorkflowType = '{names.DRIFT_RESPONSE}' AND ExecutionStatus = 'Running'"
        async for found in self.client.list_workflows(query):
            with contextlib.suppress(RPCError):
                await self.client.get_workflow_handle(found.id).terminate()
        await until(lambda: self._are_gone(query))

    async def _are_gone(self, query: str) -> bool:
        return (await self.client.count_workflows(query)).count == 0

    async def count(self) -> int:
        query = f"WorkflowType = '{names.DRIFT_RESPONSE}' AND ExecutionStatus = 'Running'"
        return (await self.client.count_workflows(query)).count


async def takes_room(limit: IncidentLimit) -> bool:
    """Whether there is room within a second."""
    stop = asyncio.Event()
    waiting = asyncio.create_task(limit.wait_for_room(stop))
    await asyncio.wait([waiting], timeout=1.0)
    stop.set()
    return await waiting


async def test_temporal_counts_what_is_at_work_and_not_who_waits_for_a_person(
    incidents: Incidents,
) -> None:
    limit = IncidentLimit(incidents.client, limit=2)
    for stage in (Stage.WAITING, Stage.WAITING, Stage.REMEDIATING, Stage.OPENED):
        await incidents.open(stage)
    await until(lambda: _has(incidents, 4))

    assert await takes_room(limit)
    working = await incidents.open(Stage.DELIBERATING)
    await until(lambda: _has(incidents, 5))
    assert not await takes_room(limit)
    await working.terminate()
    await until(lambda: _has(incidents, 4))
    assert await takes_room(limit)


async def _has(incidents: Incidents, count: int) -> bool:
    return await incidents.count() == count


async def test_many_that_wait_at_once_take_no_more_room_than_there_is(
    incidents: Incidents,
) -> None:
    limit, stop = IncidentLimit(incidents.client, limit=3), asyncio.Event()
    waiting = [asyncio.create_task(limit.wait_for_room(stop)) for _ in range(10)]

    done, _ = await asyncio.wait(waiting, timeout=0.15)

    assert len(done) == 3
    stop.set()
    assert sorted(await asyncio.gather(*waiting)) == [False] * 7 + [True] * 3


async def test_while_temporal_is_away_starts_are_tried_and_fail_there() -> None:
    settings = load_settings(temporal={"address": "127.0.0.1:1"})
    client = await connect_temporal(settings, lazy=True)
    limit = IncidentLimit(client, limit=1)

    async with asyncio.timeout(30):
        assert await limit.wait_for_room(asyncio.Event())


class Silent:
    """A server that does not count for us."""

    async def count_workflows(self, _query: str, *, rpc_timeout: timedelta) -> object:
        del rpc_timeout
        msg = "no"
        raise RPCError(msg, RPCStatusCode.PERMISSION_DENIED, b"")


async def test_a_server_that_does_not_count_switches_the_limit_off_and_says_so() -> None:
    limit = IncidentLimit(Silent(), limit=1)  # type: ignore[arg-type]

    with capture_logs() as logs:
        assert [await limit.wait_for_room(asyncio.Event()) for _ in range(5)] == [True] * 5

    assert [log["event"] for log in logs] == ["incident_limit_off"]
