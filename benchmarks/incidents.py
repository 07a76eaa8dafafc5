"""Publishes variants of one real drift event, and measures the incidents that they open."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from bare_workflows import ActivityCounts
from redis.asyncio import Redis
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from trimtab.adapters.event_keys import EventSigner
from trimtab.contracts.approval import Choice, DecisionReceipt, HumanDecision
from trimtab.contracts.drift import DriftEvent, Severity, Window
from trimtab.contracts.incident import IncidentReport, IncidentView
from trimtab.contracts.names import (
    build_deliberation_id,
    build_drift_response_id,
    build_remediation_id,
)
from trimtab.runtime.local_user import get_local_user

_POLL_SECONDS: Final = 0.02
_OPENING_TIMEOUT_SECONDS: Final = 120.0
_HARMLESS_PSI: Final = 0.15
_ACTIVITY_SCHEDULED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
_LOCAL_ACTIVITY_MARKER: Final = "core_local_activity"
_MAX_REASON_LENGTH: Final = 100


class IncidentTiming(NamedTuple):
    """Times of one incident, in seconds since its event entered the stream."""

    verdict: float
    report: float
    """Until the workflow had its result, after the outcome was stored."""
    published_at: datetime
    closed_at: datetime
    ending: str
    """Verdict and ending, as text."""
    tool_calls: int
    """Tool calls of the agents: fewer than usual if the machine was too busy."""


class WorkflowHistory(NamedTuple):
    """Size of one workflow's history in Temporal."""

    workflow: str
    events: int
    size: int
    """Bytes."""
    activities: int
    local_activities: int


class IncidentRunner:
    """Opens incidents through stream and bridge, and waits for their end."""

    def __init__(self, client: Client, redis: Redis, *, stream: str, signer: EventSigner) -> None:
        self._client = client
        self._redis = redis
        self._stream = stream
        self._signer = signer

    async def run_one(self, event: DriftEvent) -> IncidentTiming:
        """Publish the event, and wait for the end of its incident."""
        await self._publish(event)
        return await self.await_end(event)

    async def run_approved(self, event: DriftEvent) -> IncidentTiming:
        """Publish the event without a signature, approve the plan, and wait for the end."""
        await self._redis.xadd(self._stream, {"event": event.model_dump_json()})
        handle = self._get_handle(event)
        async with asyncio.timeout(_OPENING_TIMEOUT_SECONDS):
            await _await_start(handle)
            view = await _await_question(handle)
        answer = HumanDecision(
            plan_hash=view.plan_hash or "", approver=get_local_user(), decision=Choice.APPROVE
        )
        await handle.execute_update("human_decision_update", answer, result_type=DecisionReceipt)
        return await self.await_end(event)

    async def run_burst(
        self, events: Sequence[DriftEvent], *, on_end: Callable[[], None]
    ) -> list[IncidentTiming]:
        """Publish all events at once, and wait for all incidents; `on_end` is called for each."""
        async with self._redis.pipeline(transaction=False) as pipeline:  # one connection for all
            for event in events:
                pipeline.xadd(self._stream, {"event": self._sign(event)})
            await pipeline.execute()
        timings = []
        for event in events:
            timings.append(await self.await_end(event))
            on_end()
        return timings

    async def await_end(self, event: DriftEvent) -> IncidentTiming:
        """Wait for the end of an incident whose event is published already."""
        handle = self._get_handle(event)
        async with asyncio.timeout(_OPENING_TIMEOUT_SECONDS):
            await _await_start(handle)
        report = await handle.result()
        closed_at = (await handle.describe()).close_time
        assert report.decided_at is not None, "an incident that has a report was decided"
        assert closed_at is not None, "a workflow that has a result has ended"
        verdict = report.decision.verdict if report.decision else "no verdict"
        return IncidentTiming(
            verdict=(report.decided_at - report.published_at).total_seconds(),
            report=(closed_at - report.published_at).total_seconds(),
            published_at=report.published_at,
            closed_at=closed_at,
            ending=f"{verdict}, {report.ending}",
            tool_calls=report.deliberation.usage.tool_calls if report.deliberation else 0,
        )

    async def read_histories(self, event: DriftEvent) -> list[WorkflowHistory]:
        """Return the incident's history and those of its child workflows, if it has any."""
        parent = build_drift_response_id(event.subject, event.id)
        deliberation = build_deliberation_id(event.subject, event.id)
        names = (parent, deliberation, build_remediation_id(event.subject))
        histories = [await self._read_history(name, parent=parent) for name in names]
        return [history for history in histories if history is not None]

    async def count_failures(self, events: Sequence[DriftEvent]) -> Counter[str]:
        """Count the failures and retries of these incidents by their message."""
        counted: Counter[str] = Counter()
        for event in events:
            for name in (
                build_drift_response_id(event.subject, event.id),
                build_deliberation_id(event.subject, event.id),
            ):
                counted += await self._count_failures(name)
        return counted

    async def _count_failures(self, name: str) -> Counter[str]:
        counted: Counter[str] = Counter()
        handle = self._client.get_workflow_handle(name)
        try:
            async for event in handle.fetch_history_events():
                counted.update(_list_failures(event))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return counted

    async def _publish(self, event: DriftEvent) -> None:
        await self._redis.xadd(self._stream, {"event": self._sign(event)})

    def _get_handle(self, event: DriftEvent) -> WorkflowHandle[Any, IncidentReport]:
        workflow_id = build_drift_response_id(event.subject, event.id)
        return self._client.get_workflow_handle(workflow_id, result_type=IncidentReport)

    def _sign(self, event: DriftEvent) -> str:
        return self._signer.sign(event).model_dump_json()

    async def _read_history(self, name: str, *, parent: str) -> WorkflowHistory | None:
        handle = self._client.get_workflow_handle(name)
        try:
            description = await handle.describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        if description.parent_id not in (None, parent):
            return None
        info = description.raw_description.workflow_execution_info
        seen = Counter(
            [
                event.marker_recorded_event_attributes.marker_name or event.event_type
                async for event in handle.fetch_history_events()
            ]
        )
        return WorkflowHistory(
            workflow=description.workflow_type,
            events=info.history_length,
            size=info.history_size_bytes,
            activities=seen[_ACTIVITY_SCHEDULED],
            local_activities=seen[_LOCAL_ACTIVITY_MARKER],
        )


def count_activities(histories: Sequence[WorkflowHistory]) -> ActivityCounts:
    """Return the activities of an incident and of its child workflows together."""
    return ActivityCounts(
        activities=sum(history.activities for history in histories),
        local_activities=sum(history.local_activities for history in histories),
    )


def repeat_event(event: DriftEvent, label: str) -> Iterator[DriftEvent]:
    """Yield copies of an event without end, each with an id and a time of its own."""
    for number in itertools.count(1):
        name = f"{label}-{number}"
        yield event.model_copy(
            update={
                "id": name,
                "correlationid": name,
                "time": datetime.now(UTC),
                "keyid": "",
                "signature": "",
            }
        )


def build_harmless_event(event: DriftEvent, *, window: Window, metric: float) -> DriftEvent:
    """Return an event about a calm window with one mild drift, which ends as monitored.

    `metric` is the champion's in that window: the claim is held against a measurement.
    """
    finding = event.data
    assert finding.performance is not None, "the labels of the car parks arrive at once"
    performance = finding.performance.model_copy(update={"current": metric, "degraded": False})
    first, *others = finding.features
    moved = first.model_copy(update={"psi": _HARMLESS_PSI, "drifted": True})
    harmless = finding.model_copy(
        update={
            "severity": Severity.MEDIUM,
            "current": window,
            "performance": performance,
            "features": (moved, *others),
        }
    )
    return event.model_copy(update={"data": harmless})


def _list_failures(event: HistoryEvent) -> Iterator[str]:
    started = event.activity_task_started_event_attributes
    if started.attempt > 1:
        yield f"an activity was retried: {_shorten_message(started.last_failure)}"
    if event.HasField("activity_task_failed_event_attributes"):
        failure = event.activity_task_failed_event_attributes.failure
        yield f"an activity failed: {_shorten_message(failure)}"
    if event.HasField("workflow_task_failed_event_attributes"):
        failure = event.workflow_task_failed_event_attributes.failure
        yield f"a workflow task failed: {_shorten_message(failure)}"


def _shorten_message(failure: Failure) -> str:
    return (failure.message.splitlines() or [""])[0][:_MAX_REASON_LENGTH]


async def _await_question(handle: WorkflowHandle[Any, IncidentReport]) -> IncidentView:
    """Wait until the incident asks a person, and return what it shows then."""
    while True:
        view: IncidentView = await handle.query("incident", result_type=IncidentView)
        if view.terms is not None:
            return view
        await asyncio.sleep(_POLL_SECONDS)


async def _await_start(handle: WorkflowHandle[Any, IncidentReport]) -> None:
    """Wait until the bridge has opened the incident; Temporal does not know it before."""
    while True:
        try:
            await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return
