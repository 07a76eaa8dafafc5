"""An incident whose workflow is gone is closed and a person told; one that runs is left alone."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from policies.reconciliation import reconcile_registry, reconcile_workflows
from tests.builders import NOW
from tests.waiting import until
from tests.workflows.pausing import Waiting
from tests.workflows.test_drift_response import HASTY, PATIENT, escalating, incident, waiting
from tests.workflows.test_resets import at_work, start
from tests.workflows.world import Handle, World
from trimtab.adapters.audit.audit_verification import verify
from trimtab.adapters.audit.chain_heads import ChainHeads, judge_heads
from trimtab.adapters.audit.log_reading import read_chain_files
from trimtab.adapters.sweep_schedule import ensure_sweep_schedule
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.contracts import names
from trimtab.contracts.audit import SWEEPER, Gate
from trimtab.contracts.incident import Ending
from trimtab.contracts.settlement import SettlementKind, SweepReport
from workflows.sweep import SweepWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def world(temporal: Client, tmp_path: Path) -> World:
    return World(temporal, tmp_path)


async def sweep(world: World) -> SweepReport:
    return await world.client.execute_workflow(
        SweepWorkflow.run, id=f"sweep/{uuid4().hex}", task_queue=names.MAIN_QUEUE
    )


def gates(world: World, event_id: str) -> list[str]:
    return [line.entry.gate.value for line in world.audit.lines(event_id)]


async def kill_while_verifying(world: World, paused: Waiting) -> str:
    """Terminate incident and remediation when the champion has moved and is not yet verified."""
    request = incident()
    handle = await start(world, request)
    await paused.reached.wait()
    await handle.terminate("a test")
    await world.client.get_workflow_handle("remediation/parking").terminate("a test")
    paused.go_on.set()
    return request.event.id


async def test_an_incident_that_was_terminated_while_it_asked_is_closed(world: World) -> None:
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")

        report = await sweep(world)

    (abandoned,) = report.abandoned
    assert abandoned.incident == request.event.id
    assert abandoned.last_gate == "asked"
    assert abandoned.settlement.kind is SettlementKind.NOTHING
    last = world.audit.lines(request.event.id)[-1].entry
    assert (last.gate, last.actor, last.detail["ending"]) == (Gate.CLOSED, SWEEPER, "abandoned")
    assert "is gone" in world.notifier.requests[-1].page
    (recorded,) = world.registry.incidents
    assert (recorded.ending, recorded.event_id) == (Ending.ABANDONED, request.event.id)


async def test_a_champion_that_was_moved_and_not_verified_is_reported_for_restoring(
    world: World, tmp_path: Path
) -> None:
    """Row 13: both workflows terminated after the alias moved."""
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        event_id = await kill_while_verifying(world, paused)
        (abandoned,) = (await sweep(world)).abandoned

    settlement = abandoned.settlement
    assert (settlement.kind, settlement.champion, settlement.restore) == ("restore", "2", "1")
    assert "at version 1" in world.notifier.requests[-1].page
    assert gates(world, event_id)[-2:] == ["effected", "closed"]
    assert world.registry.incidents[-1].acted_at is not None
    assert all(status.valid for status in verify(tmp_path / "audit", key=b"k" * 32))
    versions = [world.registry._version("parking", each) for each in ("1", "2")]
    found = [
        each.fault
        for each in reconcile_registry([world.audit.lines(event_id)], versions)
        if "origin" not in each.fault  # the fake registry keeps no tag of what made a version
    ]
    assert found == ["version 2 was made champion, and stays without being verified"]


async def test_an_incident_that_runs_is_left_alone(world: World) -> None:
    async with at_work(world):
        handle = await start(world, request := escalating(HASTY))
        await waiting(handle)

        report = await sweep(world)
        result = await handle.result()

    assert (report.open_chains, report.abandoned) == (1, ())
    assert result.ending is Ending.EXPIRED
    assert gates(world, request.event.id).count("closed") == 1


async def test_a_terminated_incident_waits_until_its_remediation_has_undone(world: World) -> None:
    """The remediation is asked to cancel when its parent ends; it writes lines until then."""
    world.pipelines = paused = Waiting(world.registry, "verification", until_released=True)
    async with at_work(world):
        handle = await start(world, request := incident())
        await paused.reached.wait()
        await handle.terminate("a test")
        early = await sweep(world)
        paused.go_on.set()
        await world.client.get_workflow_handle("remediation/parking").result()
        late = await sweep(world)

    assert early.abandoned == ()
    (abandoned,) = late.abandoned
    assert abandoned.settlement.kind is SettlementKind.NOTHING
    assert gates(world, request.event.id)[-2:] == ["undone", "closed"]
    assert world.registry.champion_version == "1"


async def test_a_chain_that_was_written_to_a_moment_ago_is_left_alone(world: World) -> None:
    world.settle_after = timedelta(minutes=2)
    async with at_work(world):
        handle = await start(world, escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")

        assert (await sweep(world)).abandoned == ()


async def test_a_sweep_that_died_before_the_registry_knew_is_made_up_for(world: World) -> None:
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")
        await sweep(world)
    world.registry.incidents.clear()
    pages = len(world.notifier.requests)
    async with at_work(world):  # a new worker
        report = await sweep(world)

    assert report.abandoned == ()
    assert [each.event_id for each in world.registry.incidents] == [request.event.id]
    assert len(world.notifier.requests) == pages


async def test_an_incident_that_cannot_be_settled_keeps_no_other_waiting(world: World) -> None:
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")
        world.registry.broken = True

        report = await sweep(world)
        world.registry.broken = False
        later = await sweep(world)

    assert (report.open_chains, report.abandoned) == (1, ())
    assert report.heads > 0
    assert [each.incident for each in later.abandoned] == [request.event.id]


async def test_a_sweep_keeps_the_head_of_all_chains_in_the_registry(
    world: World, tmp_path: Path
) -> None:
    async with at_work(world):
        handle = await start(world, escalating(HASTY))
        await handle.result()
        report = await sweep(world)

    folder, key = tmp_path / "audit", b"k" * 32
    assert world.registry.head is not None
    assert world.registry.head.entries == report.heads > 0
    heads = ChainHeads(folder, key=key)
    files = read_chain_files(folder, key=key)
    assert list(judge_heads(heads, files, recorded=world.registry.head)) == []


async def test_temporal_lists_incidents_and_squatters(world: World) -> None:
    incidents = TemporalIncidents(lambda: world.client)
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        squatted = f"drift-response/parking/{uuid4().hex}"
        await world.client.start_workflow("Sleeper", id=squatted, task_queue="nobody")

        assert await incidents.is_running(handle.id)
        assert not await incidents.is_running(squatted, "drift-response/parking/never")

        async def both_are_listed() -> bool:
            found = {each.id: each.type for each in await incidents.list_workflows()}
            return {handle.id, squatted} <= found.keys()

        await until(both_are_listed, seconds=20)
        found = await incidents.list_workflows()
        await handle.terminate("a test")
        await world.client.get_workflow_handle(squatted).terminate("a test")

    chain = world.audit.lines(request.event.id)
    faults = [
        each.fault for each in reconcile_workflows([chain], found, now=NOW + timedelta(days=9999))
    ]
    assert [each for each in faults if squatted in each] == [
        f"workflow {squatted} is a Sleeper: it takes the id of an incident"
    ]
    assert not [each for each in faults if handle.id in each]


async def test_the_schedule_is_made_once_and_follows_its_interval(world: World) -> None:
    client = world.client
    handle = client.get_schedule_handle(names.SWEEP_ID)
    try:
        await asyncio.gather(
            *(ensure_sweep_schedule(client, every=timedelta(hours=1)) for _ in range(3))
        )
        await handle.pause()
        await ensure_sweep_schedule(client, every=timedelta(hours=2))

        found = (await handle.describe()).schedule
        assert [each.every for each in found.spec.intervals] == [timedelta(hours=2)]
        assert found.state.paused
    finally:
        await handle.delete()


async def test_the_schedule_sweeps(world: World) -> None:
    handle: Handle
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")
        await ensure_sweep_schedule(world.client, every=timedelta(seconds=1))
        try:
            await until(lambda: gates(world, request.event.id)[-1] == "closed", seconds=30)
        finally:
            await world.client.get_schedule_handle(names.SWEEP_ID).delete()
