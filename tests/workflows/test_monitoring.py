"""A run of a model's schedule judges the windows that are due at its time, and tells the result."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
    WorkflowFailureError,
    WorkflowHistory,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from tests.builders import a_spec
from tests.waiting import until
from tests.workflows.golden import read_golden, record_golden
from trimtab.contracts import names
from trimtab.contracts.drift import Severity
from trimtab.contracts.monitoring import (
    MonitoringInput,
    MonitoringReport,
    WindowAnswer,
    WindowOrder,
)
from workflows import options
from workflows.monitoring import MonitoringWorkflow, list_due_windows

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
GOLDEN: Final = ("announced", "late_labels", "failed")
"""Ways in which a run can go that have a golden history."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


def an_input(**changes: Any) -> MonitoringInput:
    spec = a_spec(**changes.pop("spec", {}))
    return MonitoringInput(**{"spec": spec, "every": HOUR, "anchor": MONDAY, **changes})


class Judge:
    """Stands in for the activity: announces the first window that it sees."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[WindowOrder] = []
        self.fault = fault

    @activity.defn(name="judge_window")
    async def judge_window(self, order: WindowOrder) -> WindowAnswer:
        self.asked.append(order)
        if self.fault:
            raise self.fault
        announced = len(self.asked) == 1
        return WindowAnswer(
            start=order.start,
            end=order.end,
            rows=900,
            note="drift" if announced else "no drift",
            event_id="event-1" if announced else None,
            announced=announced,
            severity=Severity.HIGH if announced else None,
        )


class Patient(Judge):
    """Runs until it is cancelled."""

    stopped = False

    @activity.defn(name="judge_window")
    async def judge_window(self, order: WindowOrder) -> WindowAnswer:
        self.asked.append(order)
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            self.stopped = True
            raise


class Runs:
    """A worker, and runs on it that are replayed and kept."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def report(
        self, request: MonitoringInput, judge: Judge, *, golden: str | None = None
    ) -> MonitoringReport:
        assert golden is None or golden in GOLDEN
        async with self.worker(judge):
            handle = await self.client.start_workflow(
                MonitoringWorkflow.run,
                request,
                id="monitoring/parking",
                task_queue=names.MAIN_QUEUE,
            )
            try:
                return await handle.result()
            finally:
                history = await handle.fetch_history()
                await replay(history)
                record_golden(history, golden and f"monitoring/{golden}")

    def worker(self, judge: Judge) -> Worker:
        return Worker(
            self.client,
            task_queue=names.MAIN_QUEUE,
            workflows=[MonitoringWorkflow],
            activities=[judge.judge_window],
            max_heartbeat_throttle_interval=timedelta(milliseconds=100),
        )


@pytest_asyncio.fixture(loop_scope="session")
async def runs(temporal: Client) -> AsyncIterator[Runs]:
    yield Runs(temporal)


async def replay(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=[MonitoringWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


def due(request: MonitoringInput, *, hours: float) -> list[tuple[datetime, datetime, datetime]]:
    at = MONDAY + hours * HOUR
    return [(order.start, order.end, order.as_of) for order in list_due_windows(request, at=at)]


async def test_a_window_ends_when_the_schedule_says_whenever_the_run_starts() -> None:
    end = MONDAY + 5 * HOUR

    for hours in (5, 5.5, 5.99):
        assert due(an_input(), hours=hours) == [(end - WEEK, end, end)]


async def test_windows_keep_to_the_models_own_grid() -> None:
    weekly = an_input(every=WEEK, anchor=MONDAY + DAY)

    assert due(weekly, hours=40) == [(MONDAY + DAY - WEEK, MONDAY + DAY, MONDAY + DAY)]
    before = MONDAY + DAY - WEEK
    assert due(weekly, hours=10) == [(before - WEEK, before, before)]


async def test_rows_that_arrive_late_are_waited_for() -> None:
    patient = an_input(lag=timedelta(minutes=10))

    ((_, end, _),) = due(patient, hours=5 + 10 / 60)

    assert end == MONDAY + 5 * HOUR


async def test_it_judges_the_newest_window_and_tells_what_was_announced(runs: Runs) -> None:
    judge = Judge()

    report = await runs.report(an_input(), judge, golden="announced")

    (order,) = judge.asked
    (answer,) = report.windows
    assert order.end == order.as_of
    assert (answer.event_id, answer.announced, answer.rows) == ("event-1", True, 900)
    described = await runs.client.get_workflow_handle("monitoring/parking").describe()
    assert described.typed_search_attributes.get(options.MODEL_KEY) == "parking"
    assert described.typed_search_attributes.get(options.SEVERITY_KEY) == "high"


async def test_late_labels_are_looked_at_in_a_second_judgement(runs: Runs) -> None:
    judge = Judge()

    report = await runs.report(an_input(spec={"label_delay": 3 * DAY}), judge, golden="late_labels")

    newest, labelled = judge.asked
    assert newest.end - labelled.end == 3 * DAY
    assert labelled.as_of == newest.as_of == newest.end
    assert [answer.announced for answer in report.windows] == [True, False]


async def test_a_cancelled_run_cancels_the_judging_of_its_window(runs: Runs) -> None:
    patient = Patient()
    async with runs.worker(patient):
        handle = await runs.client.start_workflow(
            MonitoringWorkflow.run,
            an_input(),
            id="monitoring/parking",
            task_queue=names.MAIN_QUEUE,
        )
        await until(lambda: patient.asked, seconds=20)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert patient.stopped


async def test_an_error_that_no_retry_can_fix_fails_the_run(runs: Runs) -> None:
    fault = ApplicationError("no champion", type="Refused", non_retryable=True)

    with pytest.raises(WorkflowFailureError) as raised:
        await runs.report(an_input(), Judge(fault), golden="failed")

    assert "no champion" in str(raised.value.cause.__cause__)


async def test_a_run_that_a_schedule_catches_up_with_looks_at_the_window_of_its_time(
    runs: Runs,
) -> None:
    judge = Judge()
    schedule = await _paused_schedule(runs.client)
    async with runs.worker(judge):
        await schedule.backfill(
            ScheduleBackfill(start_at=MONDAY - timedelta(seconds=1), end_at=MONDAY + HOUR)
        )
        await until(lambda: judge.asked, seconds=20)
    await schedule.delete()

    assert judge.asked[0].end == MONDAY


async def _paused_schedule(client: Client) -> ScheduleHandle:
    return await client.create_schedule(
        "monitoring/parking",
        Schedule(
            action=ScheduleActionStartWorkflow(
                MonitoringWorkflow.run,
                an_input(),
                id="monitoring/parking",
                task_queue=names.MAIN_QUEUE,
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            state=ScheduleState(paused=True),
        ),
    )


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_golden_history_still_replays(name: str) -> None:
    await replay(read_golden(f"monitoring/{name}"))
