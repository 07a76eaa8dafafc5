"""Judges one window: runs the pipeline `monitoring`, which publishes what it finds."""

from pydantic import JsonValue
from temporalio import activity

from activities.errors import translate_errors
from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.base import Record
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.monitoring import Suppression, WindowAnswer, WindowOrder
from trimtab.contracts.ports import PipelineRunner


class _Named(Record):
    """The part of an event that is passed on; the event itself went to the stream."""

    id: str


class _Judged(Record):
    """What of the pipeline's report is passed on."""

    rows: int
    note: str
    why: str = ""
    suppression: Suppression | None = None
    event: _Named | None = None
    finding: DriftFinding | None = None


class MonitoringActivities:
    """Where they run, pipelines, the registry and the stream can be reached."""

    def __init__(self, *, pipelines: PipelineRunner) -> None:
        self._pipelines = pipelines

    @activity.defn
    @translate_errors
    async def judge_window(self, order: WindowOrder) -> WindowAnswer:
        """What the window showed; an event that is published again keeps its id."""
        params: dict[str, JsonValue] = {
            "model": order.model,
            "start": order.start.isoformat(),
            "end": order.end.isoformat(),
            "as_of": order.as_of.isoformat(),
        }
        report = await run_with_heartbeat(self._pipelines.run("monitoring", params))
        judged = _Judged.model_validate(report)
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
