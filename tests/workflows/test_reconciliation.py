"""People are told once of each place where the audit log disagrees with the world."""

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowHistory,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from activities.approval import ApprovalActivities
from activities.reconciliation import MAX_DISCREPANCIES, ReconciliationActivities
from tests.builders import NOW
from tests.fakes import FakeNotifier
from tests.waiting import until
from tests.workflows.golden import read_golden, record_golden
from tests.workflows.test_drift_response import PATIENT, escalating, waiting
from tests.workflows.test_resets import at_work, start
from tests.workflows.world import World
from trimtab.adapters.log_schedules import RECONCILIATION_SCHEDULE, ensure_schedule
from trimtab.contracts import names
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.notice import NoticeKind
from trimtab.contracts.reconciliation import (
    ComparedLog,
    Discrepancy,
    IncidentWorkflow,
    ReconciliationReport,
)
from trimtab.contracts.remediation import RemediationInput
from workflows.reconciliation import ReconciliationWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOVED = Discrepancy(incident="event-1", model="parking", fault="version 2 was made champion")
NOTE = Discrepancy(incident="", model="parking", fault="version 9 is a copy", grave=False)
BROKEN = ChainStatus(
    incident="event-2",
    model="parking",
    valid=False,
    entries=3,
    tip="",
    closed=False,
    fault="line 2 was changed",
    compared=False,
)


class Comparisons:
    """Hands out what it is given, one after the other; the last one again and again."""

    def __init__(self, *compared: ComparedLog) -> None:
        self.left = list(compared)

    def compare(
        self, workflows: Sequence[IncidentWorkflow] | None, *, now: datetime
    ) -> ComparedLog:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]

    async def list_workflows(self) -> Sequence[IncidentWorkflow]:
        return ()

    async def is_running(self, *workflow_ids: str) -> bool:
        raise NotImplementedError

    async def find_remediation(self, workflow_id: str) -> RemediationInput | None:
        raise NotImplementedError


def a_log(*discrepancies: Discrepancy, broken: bool = False) -> ComparedLog:
    return ComparedLog(statuses=(BROKEN,) if broken else (), discrepancies=discrepancies)


async def look(*compared: ComparedLog) -> ReconciliationReport:
    log = Comparisons(*compared)
    return await ReconciliationActivities(log=log, incidents=log, clock=lambda: NOW).reconcile_log()


async def test_what_only_one_of_two_looks_finds_was_under_way() -> None:
    report = await look(a_log(MOVED, NOTE), a_log(NOTE))

    assert report.discrepancies == (NOTE,)
    assert report.faults == ()


async def test_a_chain_that_is_not_valid_is_a_fault_and_comes_first() -> None:
    report = await look(a_log(NOTE, broken=True))

    assert [each.fault for each in report.discrepancies] == [BROKEN.fault, NOTE.fault]
    assert [each.incident for each in report.faults] == ["event-2"]
    assert report.chains == 1


async def test_a_report_carries_no_more_than_a_history_can() -> None:
    many = [
        MOVED.model_copy(update={"incident": f"{number}"})
        for number in range(MAX_DISCREPANCIES + 7)
    ]

    report = await look(a_log(*many))

    assert (len(report.discrepancies), report.not_listed) == (MAX_DISCREPANCIES, 7)


@asynccontextmanager
async def serving(
    temporal: Client,
    compared: Comparisons,
    notifier: FakeNotifier,
    *,
    clock: Callable[[], datetime] = lambda: NOW,
) -> AsyncIterator[str]:
    """Run a worker on a queue of its own; yield the queue's name."""
    notifier.targets = ("team",)
    people = ApprovalActivities(notifier=notifier)
    ours = ReconciliationActivities(log=compared, incidents=compared, clock=clock)
    queue = f"reconciliation-{uuid4().hex}"
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[ReconciliationWorkflow],
        activities=[ours.reconcile_log, people.find_targets, people.send_notice],
        activity_executor=ThreadPoolExecutor(4),
    ):
        yield queue


async def run_by_schedule(temporal: Client, queue: str, *steps: Callable[[], None]) -> None:
    """Run the workflow once before each step and once behind them, as a schedule does.

    The schedule hands the result of one run to the next.
    """
    handle = await temporal.create_schedule(
        queue,
        Schedule(
            action=ScheduleActionStartWorkflow(
                ReconciliationWorkflow.run, id=queue, task_queue=queue
            ),
            spec=ScheduleSpec(),
        ),
    )

    async def run_again(times: int) -> None:
        await handle.trigger()
        await until(lambda: has_run(times))

    async def has_run(times: int) -> bool:
        ended = [
            each
            async for each in temporal.list_workflows(
                f"WorkflowId STARTS_WITH '{queue}' AND ExecutionStatus = 'Completed'"
            )
        ]
        return len(ended) == times

    try:
        await run_again(1)
        for number, step in enumerate(steps, start=2):
            step()
            await run_again(number)
    finally:
        await handle.delete()


async def test_people_are_told_of_a_fault_once_and_of_a_note_never(temporal: Client) -> None:
    compared, notifier = Comparisons(a_log(MOVED, NOTE)), FakeNotifier()

    def break_a_chain() -> None:
        compared.left = [a_log(MOVED, broken=True)]

    async with serving(temporal, compared, notifier) as queue:
        await run_by_schedule(temporal, queue, lambda: None, break_a_chain)

    first, second = (each.notice for each in notifier.sent)
    assert first.kind is second.kind is NoticeKind.DISCREPANCY
    assert "version 2 was made champion" in first.text
    assert "copy" not in first.text
    assert "line 2 was changed" in second.text
    assert "version 2" not in second.text


async def test_the_schedule_finds_an_incident_that_nobody_carries_on(
    temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(temporal, tmp_path_factory.mktemp("reconciled"))
    world.notifier.targets = ("team",)
    async with at_work(world):
        handle = await start(world, request := escalating(PATIENT))
        await waiting(handle)
        (path,) = world.log_folder.rglob("*.jsonl")
        path.write_bytes(path.read_bytes().replace(b'"escalate"', b'"execute_"'))
        await ensure_schedule(temporal, RECONCILIATION_SCHEDULE, every=timedelta(seconds=1))
        try:
            await until(lambda: world.notifier.sent)
        finally:
            await temporal.get_schedule_handle(names.RECONCILIATION_ID).delete()
        await handle.terminate("the test is done with it")

    notice = world.notifier.sent[0].notice
    assert notice.kind is NoticeKind.DISCREPANCY
    assert request.event.id in notice.text


async def test_people_are_told_again_the_next_day(temporal: Client) -> None:
    """Nobody may have been reached, or a run may have been somebody's invention."""
    notifier, times = FakeNotifier(), [NOW]

    def sleep() -> None:
        times.append(NOW + timedelta(days=1))

    async with serving(
        temporal, Comparisons(a_log(MOVED)), notifier, clock=lambda: times[-1]
    ) as queue:
        await run_by_schedule(temporal, queue, lambda: None, sleep)

    assert len(notifier.sent) == 2
    assert all("version 2 was made champion" in each.notice.text for each in notifier.sent)


async def reconcile_once(temporal: Client, compared: ComparedLog) -> WorkflowHistory:
    async with serving(temporal, Comparisons(compared), FakeNotifier()) as queue:
        handle = await temporal.start_workflow(
            ReconciliationWorkflow.run, id=queue, task_queue=queue
        )
        await handle.result()
        return await handle.fetch_history()


async def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[ReconciliationWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


async def test_what_ran_replays_and_so_does_its_golden_history(temporal: Client) -> None:
    for name, compared in {"agreed": a_log(), "told": a_log(MOVED, NOTE)}.items():
        history = await reconcile_once(temporal, compared)
        record_golden(history, f"reconciliation/{name}")
        await replay(history)
        await replay(read_golden(f"reconciliation/{name}"))
