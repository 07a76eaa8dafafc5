"""`temporal workflow reset` at every point of a history kills no incident and breaks no chain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from tests.workflows.test_drift_response import HASTY, answer, escalating, incident, waiting
from tests.workflows.world import Handle, World
from trimtab.adapters.audit.audit_verification import verify
from trimtab.contracts import names
from trimtab.contracts.audit import ChainStatus, Gate, RecordedTip
from trimtab.contracts.incident import IncidentInput, IncidentReport
from workflows.drift_response import DriftResponseWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for worker in world._workers():
            await stack.enter_async_context(worker)
        yield


async def start(world: World, request: IncidentInput) -> Handle:
    world.archive.put_in_force(request.limits, request.spec)
    return await world.client.start_workflow(
        DriftResponseWorkflow.run,
        request,
        id=names.build_drift_response_id(request.event.subject, request.event.id),
        task_queue=names.MAIN_QUEUE,
    )


async def list_reset_points(handle: Handle) -> list[int]:
    history = await handle.fetch_history()
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return [event.event_id for event in history.events if event.event_type == completed]


async def reset(world: World, handle: Handle, event_id: int) -> Handle:
    answer = await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=handle.id, run_id=handle.first_execution_run_id or ""
            ),
            reason="a test",
            request_id=uuid4().hex,
            workflow_task_finish_event_id=event_id,
        )
    )
    return world.client.get_workflow_handle(
        handle.id, run_id=answer.run_id, result_type=IncidentReport
    )


def check_chain(world: World, folder: Path, report: IncidentReport) -> ChainStatus:
    """Return the state of the incident's chain, compared with what the registry recorded first."""
    first = world.registry.incidents[0]
    tip = RecordedTip(
        incident=first.event_id, model=first.model, tip=first.audit_tip, entries=first.audit_entries
    )
    (status,) = verify(folder / "audit", key=b"k" * 32, tips=[tip])
    lines = world.audit.lines(report.event_id)
    known = [line.hash for line in lines]
    assert known[report.audit_entries - 1] == report.audit_tip
    return status


@pytest.mark.parametrize("approved", [False, True])
async def test_an_incident_survives_a_reset_at_every_point(
    temporal: Client, tmp_path: Path, *, approved: bool
) -> None:
    """Row 7: nine of eleven resets killed the incident."""
    world = World(temporal, tmp_path)
    async with at_work(world):
        handle = await start(world, escalating() if approved else incident(limits=HASTY))
        if approved:
            view = await waiting(handle)
            await handle.signal("human_decision", answer(view.plan_hash))
        first = await handle.result()
        moves = list(world.registry.moves)

        endings = []
        for event_id in await list_reset_points(handle):
            again = await reset(world, handle, event_id)
            report = await again.result()
            endings.append(report.ending)
            status = check_chain(world, tmp_path, report)
            assert (status.valid, status.closed, status.fault) == (True, True, ""), event_id

    gates = [line.entry.gate for line in world.audit.lines(first.event_id)]
    assert len(endings) > 4
    assert Gate.CONFLICT in gates
    assert gates[: first.audit_entries].count(Gate.CONFLICT) == 0
    assert world.registry.moves == moves


async def test_an_incident_survives_a_reset_while_a_person_is_asked(
    temporal: Client, tmp_path: Path
) -> None:
    world = World(temporal, tmp_path)
    async with at_work(world):
        handle = await start(world, escalating(HASTY))
        await waiting(handle)
        points = await list_reset_points(handle)
        again = await reset(world, handle, points[-1])
        report = await again.result()

        status = check_chain(world, tmp_path, report)

    assert (status.valid, status.closed) == (True, True)
    assert world.registry.moves == []


async def test_an_incident_that_waited_for_a_worker_began_when_it_was_started(
    temporal: Client, tmp_path: Path
) -> None:
    """Otherwise a policy that is replaced meanwhile would refuse it."""
    world = World(temporal, tmp_path)
    request = incident()
    handle = await start(world, request)
    await asyncio.sleep(2)
    async with at_work(world):
        await handle.result()

    opened = world.audit.lines(request.event.id)[0].entry
    started_at = (await handle.describe()).start_time
    assert opened.gate is Gate.OPENED
    assert abs(opened.at - started_at) < timedelta(seconds=1)
