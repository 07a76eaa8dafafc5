"""Replays a model's history window by window through everything, and says what came of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import Field
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from trimtab.cli.backtest.backtest_stack import Stage
from trimtab.cli.backtest.narrator import Narrator
from trimtab.cli.backtest.respondent import AnswerFailed, Respondent
from trimtab.contracts.base import Record
from trimtab.contracts.drift import DriftEvent, DriftFinding
from trimtab.contracts.incident import IncidentReport, IncidentView
from trimtab.contracts.incident import Stage as IncidentStage
from trimtab.contracts.model import ModelSpec, Slice, VersionMetric
from trimtab.contracts.names import build_drift_response_id
from trimtab.contracts.report import BaselinePoint, DriftedFeature, WindowReport

OPENING_PATIENCE: Final = 60.0
"""Seconds that the bridge has to open an incident for a published event."""
_GLANCE: Final = 0.1

T = TypeVar("T")


class ReplayFailed(Exception):  # noqa: N818 - says what happened
    """The replay cannot go on."""


class Span(Record):
    """One window of the timeline, as the pipeline `timeline` cuts it."""

    start: datetime
    end: datetime
    rows: int


class History(Record):
    """Size of the histories that one incident left behind."""

    events: int = Field(ge=0)
    size: int = Field(ge=0)
    """Bytes."""


class Replayed(Record):
    """What one window brought."""

    window: WindowReport
    baseline: BaselinePoint | None
    event: DriftEvent | None
    report: IncidentReport | None
    history: History | None


def drifted_in(finding: DriftFinding) -> tuple[DriftedFeature, ...]:
    """The columns that drifted, as a report tells them."""
    return tuple(
        DriftedFeature(name=feature.name, effect="psi", size=feature.psi)
        for feature in finding.drifted
    )


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """Work that goes on meanwhile, and not for longer."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Replay:
    """One backtest: trains the first champion, then replays every later window."""

    def __init__(
        self,
        stage: Stage,
        spec: ModelSpec,
        respondent: Respondent,
        *,
        narrator: Narrator,
    ) -> None:
        self._stage = stage
        self._spec = spec
        self._respondent = respondent
        self._narrator = narrator
        self._first = ""

    async def train(self) -> dict[str, Any]:
        """The first champion, on the first windows; the pipeline's outputs."""
        self._narrator.say("training the first champion")
        outputs = await self._run("training")
        self._first = str(outputs["version"])
        return outputs

    async def windows(self) -> tuple[Span, ...]:
        """The windows after the reference, oldest first."""
        outputs = await self._run("timeline")
        spans = [Span.model_validate(span) for span in outputs["windows"]]
        return tuple(spans[self._spec.reference_windows :])

    async def replay(self, span: Span) -> Replayed:
        """One window as if it had just passed: measure, announce, respond, and score."""
        label = f"{span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}"
        served = await asyncio.to_thread(self._stage.registry.champion, self._spec.name)
        self._narrator.say(f"{label}: comparing with the reference")
        outputs = await self._run(
            "monitoring", start=span.start.isoformat(), end=span.end.isoformat()
        )
        event = DriftEvent.model_validate(outputs["event"]) if outputs.get("event") else None
        told = outputs.get("finding")
        finding = DriftFinding.model_validate(told) if told else None
        report, history = None, None
        if event is not None:
            report, history = await self._follow(event, label)
        baseline = await self._score(span, served.version if served else None)
        return Replayed(
            window=WindowReport(
                start=span.start,
                end=span.end,
                rows=int(outputs["rows"]),
                event_id=event.id if event else None,
                drifted=drifted_in(finding) if finding else (),
                note=str(outputs["note"]),
            ),
            baseline=baseline,
            event=event,
            report=report,
            history=history,
        )

    async def _run(self, pipeline: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        request = {"model": self._spec.name, **params}
        async with _beside(self._stage.pipelines.run(pipeline, request)) as running:
            while not running.done():
                await asyncio.wait([running], timeout=_GLANCE * 5)
                self._stage.check()
            return running.result()

    async def _score(self, span: Span, served: str | None) -> BaselinePoint | None:
        """The metric of the first champion and of the one that was served, on this window."""
        outputs = await self._run(
            "evaluation",
            versions=sorted({self._first, served or self._first}),
            as_of=(span.end + self._spec.label_delay).isoformat(),
            slice=Slice.RECENT.value,
        )
        metrics = [VersionMetric.model_validate(metric) for metric in outputs["metrics"]]
        values = {metric.version: metric.value for metric in metrics}
        return BaselinePoint(
            start=span.start,
            end=span.end,
            metric=self._spec.metric,
            untouched=values.get(self._first),
            served=values.get(served) if served else None,
            served_version=served,
            rows=max((metric.rows for metric in metrics), default=0),
        )

    async def _follow(self, event: DriftEvent, label: str) -> tuple[IncidentReport, History]:
        """Wait for the incident to open and to end, answering when it asks."""
        incident_id = build_drift_response_id(event.subject, event.id)
        handle = self._stage.client.get_workflow_handle(incident_id, result_type=IncidentReport)
        self._narrator.say(f"{label}: drift announced, waiting for the bridge")
        await self._until_open(handle)
        async with _beside(handle.result()) as result:
            await self._accompany(handle, result, label)
            return result.result(), await self._history(event)

    async def _accompany(
        self,
        handle: WorkflowHandle[Any, IncidentReport],
        result: "asyncio.Future[IncidentReport]",
        label: str,
    ) -> None:
        asked = False
        while not result.done():
            self._stage.check()
            view = await self._view(handle)
            if view is not None:
                self._narrator.say(f"{label}: {view.stage.replace('_', ' ')}")
            if view is not None and view.stage is IncidentStage.WAITING and not asked:
                asked = True
                with self._narrator.paused():
                    done = await self._answered(handle, view)
                self._narrator.say(f"{label}: {done}")
            await asyncio.wait([result], timeout=_GLANCE)

    async def _answered(
        self, handle: WorkflowHandle[Any, IncidentReport], view: IncidentView
    ) -> str:
        """What was answered here; the question is withdrawn once it is answered elsewhere."""
        response = self._respondent.respond(
            view, workflow_id=handle.id, address=self._stage.addresses.temporal
        )
        async with _beside(response) as answering:
            while not answering.done() and await self._waits(handle):
                self._stage.check()
                await asyncio.wait([answering], timeout=_GLANCE * 5)
            if not answering.done():
                return "answered elsewhere, or expired"
            try:
                return answering.result()
            except AnswerFailed:
                if await self._waits(handle):
                    raise
                return "too late: answered elsewhere, or expired"

    async def _waits(self, handle: WorkflowHandle[Any, IncidentReport]) -> bool:
        """Whether the question is still open, as far as is known."""
        view = await self._view(handle)
        return view is None or view.stage is IncidentStage.WAITING

    async def _until_open(self, handle: WorkflowHandle[Any, IncidentReport]) -> None:
        deadline = time.monotonic() + OPENING_PATIENCE
        while time.monotonic() < deadline:
            self._stage.check()
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(_GLANCE / 4)
            else:
                return
        msg = f"no incident {handle.id} after {OPENING_PATIENCE:.0f} s: see logs/starter.log"
        raise ReplayFailed(msg)

    async def _view(self, handle: WorkflowHandle[Any, IncidentReport]) -> IncidentView | None:
        try:
            view: IncidentView = await handle.query("incident", result_type=IncidentView)
        except (RPCError, WorkflowQueryFailedError):
            return None  # its first task has not run yet, or the worker is busy
        return view

    async def _history(self, event: DriftEvent) -> History:
        """Events and bytes of the incident's workflow and of its children together."""
        client = self._stage.client
        incident = client.get_workflow_handle(build_drift_response_id(event.subject, event.id))
        parts: list[WorkflowHandle[Any, Any]] = [incident]
        async for past in incident.fetch_history_events():
            started = past.child_workflow_execution_started_event_attributes
            if started.HasField("workflow_execution"):
                child = started.workflow_execution
                parts.append(client.get_workflow_handle(child.workflow_id, run_id=child.run_id))
        told = [(await part.describe()).raw_description for part in parts]
        found = [each.workflow_execution_info for each in told]
        return History(
            events=sum(info.history_length for info in found),
            size=sum(info.history_size_bytes for info in found),
        )
