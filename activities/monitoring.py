"""Judges one window by running the pipeline `monitoring`, which publishes the drift it finds."""

from pydantic import JsonValue
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.base import Record
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.monitoring import Suppression, WindowAnswer, WindowOrder
from trimtab.contracts.ports import PipelineRunner


class _PublishedEvent(Record):
    """The part of an event that is passed on; the event itself went to the stream."""

    id: str


class _WindowReport(Record):
    """The part of the pipeline's report that is passed on."""

    rows: int
    note: str
    why: str = ""
    suppression: Suppression | None = None
    event: _PublishedEvent | None = None
    finding: DriftFinding | None = None


class MonitoringActivities:
    """Activities of workers that can reach pipelines, registry and stream."""

    def __init__(self, *, pipelines: PipelineRunner) -> None:
        self._pipelines = pipelines

    @activity.defn
    @translate_errors
    async def judge_window(self, order: WindowOrder) -> WindowAnswer:
        """Return the judgement of the window; an event that is published again keeps its id."""
        params: dict[str, JsonValue] = {
            "model": order.model,
            "start": order.start.isoformat(),
            "end": order.end.isoformat(),
            "as_of": order.as_of.isoformat(),
        }
        report = await run_with_heartbeat(self._pipelines.run("monitoring", params))
        judged = _WindowReport.model_validate(report)
        return WindowAnswer(
            start=order.start,
            end=order.end,
            rows=judged.rows,
            note=judged.note,
            event_id=judged.event.id if judged.event else None,
            announced=judged.event is not None,
            why=judged.why or judged.note,
            suppression=judged.suppression.reason if judged.suppression else None,
            severity=judged.finding.severity if judged.finding else None,
        )
