"""An incident whose workflow is gone is closed and a person told; one that runs is left alone."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from policies.reconciliation import reconcile_registry
from policies.workflow_reconciliation import reconcile_workflows
from tests.builders import NOW
from tests.waiting import until
from tests.workflows.golden import read_golden, record_golden
from tests.workflows.pausing import Waiting
from tests.workflows.test_drift_response import HASTY, PATIENT, escalating, incident, waiting
from tests.workflows.test_resets import at_work, start
from tests.workflows.world import SECRET, Handle, World
from trimtab.adapters.audit.audit_verification import verify
from trimtab.adapters.audit.chain_heads import ChainHeads, judge_heads
from trimtab.adapters.audit.log_reading import read_chain_files
from trimtab.adapters.grants import JwtGuard
from trimtab.adapters.log_schedules import SWEEP_SCHEDULE, ensure_schedule
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.contracts import names
from trimtab.contracts.audit import SWEEPER, Gate
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.model import Tier
from trimtab.contracts.remediation import Action, RemediationInput, Step, compute_effect_key
from trimtab.contracts.settlement import SettlementKind, SweepReport
from workflows.sweep import SweepWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL_ACTIONS: Final = dict.fromkeys(Tier, (Action.RETRAIN, Action.ROLL_BACK))
GOLDEN_SWEEPS: Final = ("quiet", "restored", "closed")
"""Ways in which a sweep can go that have a golden history."""


@pytest.fixture
def world(temporal: Client, tmp_path: Path) -> World:
    return World(temporal, tmp_path)


async def sweep(world: World, *, golden: str | None = None) -> SweepReport:
    assert golden is None or golden in GOLDEN_SWEEPS
    handle = await world.client.start_workflow(
        SweepWorkflow.run, id=f"sweep/{uuid4().hex}", task_queue=names.MAIN_QUEUE
    )
    report = await handle.result()
    history = await handle.fetch_history()
    await replay(history)
    record_golden(history, golden and f"sweep/{golden}")
    return report


async def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[SweepWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


def find_faults(world: World, event_id: str) -> list[str]:
    versions = [world.registry._version("parking", each) for each in ("1", "2")]
    return [
        each.fault
        for each in reconcile_registry([world.audit.lines(event_id)], versions)
        if "origin" not in each.fault  # the fake registry keeps no tag of what made a version
    ]


def gates(world: World, event_id: str) -> list[str]:
    return [line.entry.gate.value for line in world.audit.lines(event_id)]


async def kill_while_verifying(world: World, paused: Waiting) -> str:
    """Terminate incident and remediation when the champion has moved and is not yet verified."""
    request = incident()
    handle = await start(world, request)
    await paused.reached.wait()
    await handle.terminate("a test")
    await world.client.get_workflow_handle("remediation/parking").terminate("a test")
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


async def test_a_champion_that_was_moved_and_not_verified_is_replaced_by_the_former_one(
    world: World, tmp_path: Path
) -> None:
    """Row 13: both workflows terminated after the alias moved."""
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        event_id = await kill_while_verifying(world, paused)
        first = await sweep(world, golden="restored")
        served = world.registry.champion_version
        second = await sweep(world, golden="closed")

    (abandoned,) = second.abandoned
    assert [(each.step, each.champion_version) for each in first.restorations] == [("undo", "1")]
    assert (first.abandoned, served) == ((), "1")
    assert abandoned.settlement.kind is SettlementKind.NOTHING
    assert "a sweep made 1 champion again" in world.notifier.requests[-1].page
    assert gates(world, event_id)[-4:] == ["effected", "intended", "undone", "closed"]
    assert world.registry.incidents[-1].acted_at is not None
    assert all(status.valid for status in verify(tmp_path / "audit", key=b"k" * 32))
    assert find_faults(world, event_id) == []


async def test_a_champion_that_cannot_be_restored_is_reported_after_two_attempts(
    world: World,
) -> None:
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        event_id = await kill_while_verifying(world, paused)
    world._guard = JwtGuard(key=Ed25519PrivateKey.generate().public_key(), secret=SECRET)
    async with at_work(world):  # workers that do not accept the grant
        attempts = [await sweep(world) for _ in range(2)]
        (abandoned,) = (await sweep(world)).abandoned

    assert [len(each.restorations) for each in attempts] == [1, 1]
    settlement = abandoned.settlement
    assert (settlement.kind, settlement.champion, settlement.restore) == ("restore", "2", "1")
    assert "at version 1" in world.notifier.requests[-1].page
    assert world.registry.champion_version == "2"
    assert find_faults(world, event_id) == [
        "version 2 was made champion, and stays without being verified"
    ]


async def test_a_champion_is_restored_only_under_the_grant_that_the_chain_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with a worker of their own can write what they like into a history."""
    find = TemporalIncidents.find_remediation

    async def find_another(self: TemporalIncidents, workflow_id: str) -> RemediationInput | None:
        request = await find(self, workflow_id)
        assert request is not None
        order = request.order.model_copy(update={"grant": "another"})
        return request.model_copy(update={"order": order})

    monkeypatch.setattr(TemporalIncidents, "find_remediation", find_another)
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        await kill_while_verifying(world, paused)
        report = await sweep(world)

    assert report.restorations == ()
    assert [each.settlement.kind for each in report.abandoned] == [SettlementKind.RESTORE]
    assert world.registry.champion_version == "2"


async def test_ids_that_were_taken_on_a_queue_of_nobody_keep_no_incident_open(
    world: World,
) -> None:
    """Whoever terminates an incident can start workflows of our types that never run."""
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        event_id = await kill_while_verifying(world, paused)
        decoys = [
            await world.client.start_workflow(kind, id=each, task_queue="nobody")
            for kind, each in (
                (names.DRIFT_RESPONSE, names.build_drift_response_id("parking", event_id)),
                (names.REMEDIATION, names.build_remediation_id("parking")),
            )
        ]
        (abandoned,) = (await sweep(world)).abandoned
        for each in decoys:
            await each.terminate("a test")

    # The decoy's history does not hold the order, so a person is asked to restore the champion.
    assert abandoned.settlement.kind is SettlementKind.RESTORE
    assert "at version 1" in world.notifier.requests[-1].page


async def test_a_history_that_cannot_be_read_stops_no_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.adapters.temporal_incidents.RemediationInput", SweepReport)
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        await kill_while_verifying(world, paused)
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        await handle.terminate("a test")

        report = await sweep(world)

    assert report.restorations == ()
    assert len(report.abandoned) == 2
    assert request.event.id in {each.incident for each in report.abandoned}


async def terminate_while_it_asks(world: World) -> IncidentInput:
    handle = await start(world, request := escalating(PATIENT))
    await waiting(handle)
    await handle.terminate("a test")
    return request


async def test_an_incident_that_was_started_again_under_other_limits_does_not_verify(
    world: World, tmp_path: Path
) -> None:
    """Whoever terminates an incident could have its loss left to monitoring, and nobody asked."""
    async with at_work(world):
        request = await terminate_while_it_asks(world)
        loose = {"shadow": True, "confidence_above": 0.0, "allowed_actions": ALL_ACTIONS}
        own = request.model_copy(update={"limits": request.limits.model_copy(update=loose)})
        report = await (await start(world, own)).result()

    assert report.ending is Ending.MONITORED
    (status,) = verify(tmp_path / "audit", key=b"k" * 32)
    assert "decided under policy" in status.fault
    assert not status.valid


async def test_an_incident_that_was_started_again_under_another_specification_does_not_verify(
    world: World, tmp_path: Path
) -> None:
    """Its policy is the true one; the specification tolerates any loss."""
    async with at_work(world):
        request = await terminate_while_it_asks(world)
        tolerant = request.spec.model_copy(update={"tolerance": 5.0})
        again = await start(world, request.model_copy(update={"spec": tolerant}))
        await until(lambda: gates(world, request.event.id).count("decided") > 1)
        await again.terminate("a test")

    (status,) = verify(tmp_path / "audit", key=b"k" * 32)
    assert "opened again with another spec_hash" in status.fault


async def test_a_parent_undoes_what_a_terminated_remediation_has_changed(world: World) -> None:
    """Row 13: only the child was terminated, after the alias had moved."""
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        handle = await start(world, request := incident())
        await paused.reached.wait()
        await world.client.get_workflow_handle("remediation/parking").terminate("a test")
        report = await handle.result()

    assert report.ending is Ending.FAILED
    assert "version 1 was made champion again" in report.failure
    assert report.acted_at is not None
    assert world.registry.champion_version == "1"
    assert gates(world, request.event.id)[-4:] == ["intended", "effected", "undone", "closed"]
    assert find_faults(world, request.event.id) == []


async def test_a_parent_leaves_what_a_terminated_remediation_has_verified(world: World) -> None:
    marked = asyncio.Event()
    mark = world.registry.mark_verified

    def mark_and_tell(model: str, version: str, *, key: str) -> None:
        mark(model, version, key=key)
        loop.call_soon_threadsafe(marked.set)
        time.sleep(1.0)

    loop = asyncio.get_running_loop()
    world.registry.mark_verified = mark_and_tell  # type: ignore[method-assign]
    async with at_work(world):
        handle = await start(world, incident())
        await marked.wait()
        await world.client.get_workflow_handle("remediation/parking").terminate("a test")
        report = await handle.result()

    assert "was verified" in report.failure
    assert world.registry.champion_version == "2"


async def test_a_verification_that_nobody_reported_counts(world: World) -> None:
    world.pipelines = paused = Waiting(world.registry, "verification")
    async with at_work(world):
        event_id = await kill_while_verifying(world, paused)
        (authorised,) = [
            line.entry for line in world.audit.lines(event_id) if line.entry.gate is Gate.AUTHORISED
        ]
        plan_hash = str(authorised.detail["plan_hash"])
        key = compute_effect_key(event_id, plan_hash, Step.VERIFY)
        world.registry.mark_verified("parking", "2", key=key)
        report = await sweep(world)

    assert [each.settlement.kind for each in report.abandoned] == [SettlementKind.NOTHING]
    assert world.registry.champion_version == "2"
    assert gates(world, event_id)[-3:] == ["effected", "verified", "closed"]
    assert find_faults(world, event_id) == []


async def test_an_incident_that_runs_is_left_alone(world: World) -> None:
    async with at_work(world):
        handle = await start(world, request := escalating(HASTY))
        await waiting(handle)

        report = await sweep(world, golden="quiet")
        result = await handle.result()

    assert (report.open_chains, report.abandoned) == (1, ())
    assert result.ending is Ending.EXPIRED
    assert gates(world, request.event.id).count("closed") == 1


async def test_a_terminated_incident_waits_until_its_remediation_has_ended(world: World) -> None:
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
    assert gates(world, request.event.id)[-2:] == ["verified", "closed"]
    assert world.registry.champion_version == "2"


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
            *(ensure_schedule(client, SWEEP_SCHEDULE, every=timedelta(hours=1)) for _ in range(3))
        )
        await handle.pause()
        await ensure_schedule(client, SWEEP_SCHEDULE, every=timedelta(hours=2))

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
        await ensure_schedule(world.client, SWEEP_SCHEDULE, every=timedelta(seconds=1))
        try:
            await until(lambda: gates(world, request.event.id)[-1] == "closed", seconds=30)
        finally:
            await world.client.get_schedule_handle(names.SWEEP_ID).delete()


@pytest.mark.parametrize("name", GOLDEN_SWEEPS)
async def test_a_golden_history_of_a_sweep_replays(name: str) -> None:
    await replay(read_golden(f"sweep/{name}"))
