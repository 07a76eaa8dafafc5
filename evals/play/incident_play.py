"""Plays one labelled incident, window by window, through the true code in this process."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from evals.play.champions import is_bad_release, register_first_champion, release_worse_version
from evals.play.incident_record import PlayedIncident, ResponseRecord, WindowRecord
from evals.play.labelled_incident import LabelledIncident
from evals.play.memory_pipelines import MemoryPipelines
from evals.play.memory_registry import MemoryRegistry
from evals.play.oracle import Oracle, compute_mean
from evals.play.response import Responder
from evals.truth import adjudicate_truth
from trimtab.contracts.deliberation import RULE_ANALYST
from trimtab.contracts.drift import DriftEvent, DriftFinding

_MAX_FAILURE_LENGTH = 300


def play_incident(incident: LabelledIncident, *, code: str) -> PlayedIncident:
    """Return the record of the incident, with what each action would have brought."""
    began = time.monotonic()
    play = _Play.begin(incident)
    windows = tuple(asyncio.run(play.run()))
    first = next(
        (each.index for each in windows if each.event and each.index >= incident.truth.onset),
        incident.truth.onset,
    )
    oracle = play.oracle.record(windows, decided=first)
    kept, retrained = oracle.actions["keep"], oracle.actions["retrain"]
    gain = None if kept is None or retrained is None else retrained - kept
    return PlayedIncident(
        id=incident.id,
        code=code,
        analyst=RULE_ANALYST,
        tolerance=incident.spec.tolerance,
        metric=incident.spec.metric,
        adjudication=adjudicate_truth(
            incident.truth,
            loss=play.compute_loss(windows),
            gain=gain,
            tolerance=incident.spec.tolerance,
        ),
        windows=windows,
        oracle=oracle,
        seconds=round(time.monotonic() - began, 2),
    )


@dataclass
class _Play:
    """The state of one incident while it is played."""

    incident: LabelledIncident
    registry: MemoryRegistry
    pipelines: MemoryPipelines
    responder: Responder
    oracle: Oracle
    untouched: str
    """Version that serves if nobody ever acts."""
    scores: dict[tuple[str, int], float | None] = field(default_factory=dict)
    """Metric by version and window, on true targets."""

    @classmethod
    def begin(cls, incident: LabelledIncident) -> "_Play":
        registry = register_first_champion(incident)
        pipelines = MemoryPipelines(incident.spec, registry)
        first = registry.champion_version or ""
        return cls(
            incident,
            registry,
            pipelines,
            Responder(incident.spec, registry, pipelines),
            Oracle(incident, first=registry.get_served(first).load()),
            first,
        )

    async def run(self) -> list[WindowRecord]:
        return [await self._play_window(index) for index in range(len(self.incident.watched))]

    def compute_loss(self, windows: tuple[WindowRecord, ...]) -> float | None:
        """Return the untouched model's mean loss in affected windows, on true targets.

        It is held against the first champion in the windows before the onset.
        """
        truth = self.incident.truth
        before = [each.untouched for each in windows if each.index < truth.onset]
        after = [each.untouched for each in windows if truth.is_affected(each.index)]
        sound, broken = compute_mean(before), compute_mean(after)
        return None if sound is None or broken is None else round(sound - broken, 5)

    async def _play_window(self, index: int) -> WindowRecord:
        window = self.incident.watched[index]
        if is_bad_release(self.incident) and index == self.incident.truth.onset:
            self.untouched = release_worse_version(self.incident, self.registry)
        self.registry.now = window.end
        self.pipelines.history = self.incident.view_history(window.end)
        served = self.registry.champion_version or ""
        fields: dict[str, Any] = {
            "index": index,
            "rows": 0,
            "served_version": served,
            "served": self._score(served, index),
            "untouched": self._score(self.untouched, index),
        }
        try:
            report = self.pipelines.execute(
                "monitoring",
                {
                    "model": self.incident.spec.name,
                    "start": window.start.isoformat(),
                    "end": window.end.isoformat(),
                },
            )
            fields |= _read_report(report)
            if fields["event"]:
                event = DriftEvent.model_validate(report["event"])
                fields["response"] = await self._respond(event, window.end, index)
        except Exception as error:  # noqa: BLE001 - whatever fails is part of the score
            fields["failure"] = f"{type(error).__name__}: {error}"[:_MAX_FAILURE_LENGTH]
        return WindowRecord.model_validate(fields)

    async def _respond(self, event: DriftEvent, now: datetime, index: int) -> ResponseRecord:
        return await self.responder.respond(event, now=now, truth=self.incident.truth, window=index)

    def _score(self, version: str, window: int) -> float | None:
        if (version, window) not in self.scores:
            model = self.registry.get_served(version).load()
            self.scores[version, window] = self.oracle.score_true(model, window)
        return self.scores[version, window]


def _read_report(report: dict[str, JsonValue]) -> dict[str, Any]:
    finding, metric = report.get("finding"), report.get("metric")
    return {
        "rows": report.get("rows", 0),
        "event": report.get("event") is not None,
        "suppression": report.get("why") or "",
        "finding": _shorten(finding),
        "observed": metric.get("value") if isinstance(metric, dict) else None,
    }


def _shorten(finding: JsonValue) -> JsonValue:
    """Return the finding without the fields that have their default."""
    if finding is None:
        return None
    shortened: JsonValue = DriftFinding.model_validate(finding).model_dump(
        mode="json", exclude_defaults=True, exclude_none=True
    )
    return shortened
