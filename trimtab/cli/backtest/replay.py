"""Replays a model's history window by window through everything, and returns what happened."""

import asyncio
from datetime import datetime
from typing import Any, Final

from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.incident_follower import HistorySize, IncidentFollower, run_beside
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.cli.backtest.respondent import Respondent
from trimtab.contracts.base import Record
from trimtab.contracts.drift import DriftEvent, DriftFinding
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelSpec, Slice, VersionMetric
from trimtab.contracts.report import BaselinePoint, DriftedFeature, WindowReport

_POLL_SECONDS: Final = 0.5


class ReplayWindow(Record):
    """One window of the history, as the pipeline `timeline` returns it."""

    start: datetime
    end: datetime
    rows: int


class ReplayedWindow(Record):
    """What happened in one window."""

    window: WindowReport
    baseline: BaselinePoint | None
    event: DriftEvent | None
    report: IncidentReport | None
    history: HistorySize | None


class Replay:
    """One backtest: trains the first champion, then replays every later window."""

    def __init__(
        self,
        stack: BacktestStack,
        spec: ModelSpec,
        respondent: Respondent,
        *,
        display: ProgressDisplay,
    ) -> None:
        self._stack = stack
        self._spec = spec
        self._display = display
        self._follower = IncidentFollower(stack, respondent, display=display)
        self._first_version = ""

    async def train(self) -> dict[str, Any]:
        """Train the first champion on the first windows, and return the pipeline's outputs."""
        self._display.show("training the first champion")
        outputs = await self._run_pipeline("training")
        self._first_version = str(outputs["version"])
        return outputs

    async def list_windows(self) -> tuple[ReplayWindow, ...]:
        """Return the windows after the reference, oldest first."""
        outputs = await self._run_pipeline("timeline")
        windows = [ReplayWindow.model_validate(window) for window in outputs["windows"]]
        return tuple(windows[self._spec.reference_windows :])

    async def replay(self, window: ReplayWindow) -> ReplayedWindow:
        """Replay one window as if it had just ended: measure, publish, respond, and score."""
        label = f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
        served = await asyncio.to_thread(self._stack.registry.champion, self._spec.name)
        self._display.show(f"{label}: comparing with the reference")
        outputs = await self._run_pipeline(
            "monitoring", start=window.start.isoformat(), end=window.end.isoformat()
        )
        event = DriftEvent.model_validate(outputs["event"]) if outputs.get("event") else None
        found = outputs.get("finding")
        finding = DriftFinding.model_validate(found) if found else None
        report, history = None, None
        if event is not None:
            report, history = await self._follower.follow(event, label)
        baseline = await self._score(window, served.version if served else None)
        return ReplayedWindow(
            window=WindowReport(
                start=window.start,
                end=window.end,
                rows=int(outputs["rows"]),
                event_id=event.id if event else None,
                drifted=list_drifted_features(finding) if finding else (),
                note=str(outputs["note"]),
            ),
            baseline=baseline,
            event=event,
            report=report,
            history=history,
        )

    async def _run_pipeline(self, pipeline: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        request = {"model": self._spec.name, **params}
        async with run_beside(self._stack.pipelines.run(pipeline, request)) as running:
            while not running.done():
                await asyncio.wait([running], timeout=_POLL_SECONDS)
                self._stack.check()
            return running.result()

    async def _score(self, window: ReplayWindow, served: str | None) -> BaselinePoint | None:
        """Return the metric of the first champion and of the served version on this window."""
        outputs = await self._run_pipeline(
            "evaluation",
            versions=sorted({self._first_version, served or self._first_version}),
            as_of=(window.end + self._spec.label_delay).isoformat(),
            slice=Slice.RECENT.value,
        )
        metrics = [VersionMetric.model_validate(metric) for metric in outputs["metrics"]]
        values = {metric.version: metric.value for metric in metrics}
        return BaselinePoint(
            start=window.start,
            end=window.end,
            metric=self._spec.metric,
            untouched=values.get(self._first_version),
            served=values.get(served) if served else None,
            served_version=served,
            rows=max((metric.rows for metric in metrics), default=0),
        )


def list_drifted_features(finding: DriftFinding) -> tuple[DriftedFeature, ...]:
    """Return the columns that drifted, as a report has them."""
    return tuple(
        DriftedFeature(name=feature.name, effect="psi", size=feature.psi)
        for feature in finding.drifted
    )
