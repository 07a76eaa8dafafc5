"""Publishes variants of one real drift event and reads from the incidents what they took."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bare import Shape
from redis.asyncio import Redis
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts.drift import DriftEvent, Severity
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.names import (
    build_deliberation_id,
    build_drift_response_id,
    build_remediation_id,
)

_GLANCE: Final = 0.02
_OPENING_PATIENCE: Final = 120.0
_CALM_PSI: Final = 0.15
_SCHEDULED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
_MARKER: Final = EventType.EVENT_TYPE_MARKER_RECORDED
_LOCAL: Final = "core_local_activity"
_REASON_LENGTH: Final = 100


class Timing(NamedTuple):
    """One incident, in seconds since its event entered the stream."""

    verdict: float
    report: float
    """Until the workflow's result was there, which is after the incident was remembered."""
    published_at: datetime
    closed_at: datetime
    ending: str
    """Verdict and ending, in words."""
    looks: int
    """Tool calls of the agents: fewer than usual where the machine was too busy."""


class Trail(NamedTuple):
    """What one workflow left in Temporal's history."""

    workflow: str
    events: int
    size: int
    """Bytes."""
    activities: int
    local_activities: int


class Incidents:
    """Opens incidents through stream and bridge, and waits for them."""

    def __init__(self, client: Client, redis: Redis, *, stream: str) -> None:
        self._client = client
        self._redis = redis
        self._stream = stream

    async def one(self, event: DriftEvent) -> Timing:
        """Publish, and wait for the end."""
        await self._publish(event)
        return await self.end_of(event)

    async def burst(
        self, events: Sequence[DriftEvent], *, told: Callable[[], None]
    ) -> list[Timing]:
        """Publish all at once, and wait for all to end; `told` is called for each."""
        await asyncio.gather(*map(self._publish, events))
        timings = []
        for event in events:
            timings.append(await self.end_of(event))
            told()
        return timings

    async def end_of(self, event: DriftEvent) -> Timing:
        """Wait for the end of an incident whose event is published."""
        handle = self._client.get_workflow_handle(
            build_drift_response_id(event.subject, event.id), result_type=IncidentReport
        )
        async with asyncio.timeout(_OPENING_PATIENCE):
            await _until_open(handle)
        report = await handle.result()
        closed_at = (await handle.describe()).close_time
        assert report.decided_at is not None  # noqa: S101 - it has a result
        assert closed_at is not None  # noqa: S101 - as above
        verdict = report.decision.verdict if report.decision else "no verdict"
        return Timing(
            verdict=(report.decided_at - report.published_at).total_seconds(),
            report=(closed_at - report.published_at).total_seconds(),
            published_at=report.published_at,
            closed_at=closed_at,
            ending=f"{verdict}, {report.ending}",
            looks=report.deliberation.usage.tool_calls if report.deliberation else 0,
        )

    async def trails(self, event: DriftEvent) -> list[Trail]:
        """The incident's own history and those of its children, as far as it had them."""
        parent = build_drift_response_id(event.subject, event.id)
        names = (parent, build_deliberation_id(event.id), build_remediation_id(event.subject))
        found = [await self._trail(name, parent=parent) for name in names]
        return [trail for trail in found if trail is not None]

    async def troubles(self, events: Sequence[DriftEvent]) -> Counter[str]:
        """What went wrong on the way of these incidents, and how often."""
        counted: Counter[str] = Counter()
        for event in events:
            for name in (
                build_drift_response_id(event.subject, event.id),
                build_deliberation_id(event.id),
            ):
                counted += await self._troubles(name)
        return counted

    async def _troubles(self, name: str) -> Counter[str]:
        counted: Counter[str] = Counter()
        handle = self._client.get_workflow_handle(name)
        try:
            async for event in handle.fetch_history_events():
                counted.update(_troubles_in(event))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return counted

    async def _publish(self, event: DriftEvent) -> None:
        await self._redis.xadd(self._stream, {"event": event.model_dump_json()})

    async def _trail(self, name: str, *, parent: str) -> Trail | None:
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
        return Trail(
            workflow=description.workflow_type,
            events=info.history_length,
            size=info.history_size_bytes,
            activities=seen[_SCHEDULED],
            local_activities=seen[_LOCAL],
        )


def shape_of(trails: Sequence[Trail]) -> Shape:
    """The activities of an incident and of its children together."""
    return Shape(
        activities=sum(trail.activities for trail in trails),
        local_activities=sum(trail.local_activities for trail in trails),
    )


def again(event: DriftEvent, label: str) -> Iterator[DriftEvent]:
    """The same event, time after time, with ids of their own."""
    for number in itertools.count(1):
        name = f"{label}-{number}"
        yield event.model_copy(
            update={"id": name, "correlationid": name, "time": datetime.now(UTC)}
        )


def calmed(event: DriftEvent) -> DriftEvent:
    """The event with one mild drift and a model that does as well as ever: a case to monitor."""
    finding = event.data
    assert finding.performance is not None  # noqa: S101 - the car parks' labels come at once
    performance = finding.performance.model_copy(
        update={"current": finding.performance.reference, "degraded": False}
    )
    first, *others = finding.features
    moved = first.model_copy(update={"psi": _CALM_PSI, "drifted": True})
    calm = finding.model_copy(
        update={
            "severity": Severity.MEDIUM,
            "performance": performance,
            "features": (moved, *others),
        }
    )
    return event.model_copy(update={"data": calm})


def _troubles_in(event: HistoryEvent) -> Iterator[str]:
    started = event.activity_task_started_event_attributes
    if started.attempt > 1:
        yield f"an activity tried again: {_short(started.last_failure)}"
    if event.HasField("activity_task_failed_event_attributes"):
        yield f"an activity failed: {_short(event.activity_task_failed_event_attributes.failure)}"
    if event.HasField("workflow_task_failed_event_attributes"):
        failure = event.workflow_task_failed_event_attributes.failure
        yield f"a workflow task failed: {_short(failure)}"


def _short(failure: Failure) -> str:
    return (failure.message.splitlines() or [""])[0][:_REASON_LENGTH]


async def _until_open(handle: WorkflowHandle[object, IncidentReport]) -> None:
    """The bridge opens the incident: until then Temporal does not know it."""
    while True:
        try:
            await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(_GLANCE)
        else:
            return
