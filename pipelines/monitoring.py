"""Pipeline `monitoring`: one window against the champion's reference; drift is published."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from contracts.base import digest
from contracts.drift import MAX_EVENT_BYTES, DriftEvent, DriftFinding, PerformanceChange
from contracts.fitted import ServedModel, ServedModels, error_of, expected
from contracts.model import ModelSpec, VersionMetric
from detection.finding import find_drift
from detection.profile import WindowProfile
from detection.sampling import surpasses_chance
from pipelines import estimator
from pipelines.profiling import profile_rows, reference_profile, reference_uri
from pipelines.requests import WindowRequest, request_node
from pipelines.rows import Table, rows_between

FEWEST_LABELS: Final = 30
"""Labelled rows without which no metric is believed."""


class Measured(NamedTuple):
    """The champion in the window."""

    champion: ServedModel
    profile: WindowProfile
    metric: VersionMetric | None
    """None where no labels have come, or too few to measure on."""
    error: float | None = None
    """The metric's standard error."""


def select_rows(history: Table, spec: ModelSpec, request: WindowRequest) -> Table:
    """The window's rows, dirty ones included."""
    return rows_between(history, spec, request.span)


def measure_window(
    rows: Table, spec: ModelSpec, request: WindowRequest, models: ServedModels
) -> Measured:
    """Count the window over the reference's bins, and score the champion on its labelled rows."""
    champion = models.champion()
    model = champion.load()
    until = request.end - spec.label_delay
    profile = profile_rows(
        rows,
        spec,
        span=request.span,
        predictions=estimator.predict(model, rows, spec),
        labelled_until=until,
        like=reference_profile(champion),
    )
    value, count, error = estimator.score(model, rows[rows[spec.timestamp] < until], spec)
    if value is None or count < FEWEST_LABELS:
        return Measured(champion, profile, None)
    metric = VersionMetric(version=champion.version, metric=spec.metric, value=value, rows=count)
    return Measured(champion, profile, metric, error)


def describe_run(measured: Measured) -> dict[str, Any]:
    """What is kept of the window, drift or not."""
    window = measured.profile.window
    metrics = {"rows": float(window.rows)}
    if measured.metric:
        metrics[measured.metric.metric] = measured.metric.value
    return {
        "profile": measured.profile.model_dump(mode="json"),
        "metrics": metrics,
        "tags": {
            "trimtab.window.start": window.start.isoformat(),
            "trimtab.window.end": window.end.isoformat(),
            "trimtab.champion": measured.champion.version,
        },
    }


def examine(measured: Measured, spec: ModelSpec, profile_uri: str) -> list[DriftFinding]:
    """What is worth announcing: one finding, or none."""
    champion = measured.champion
    finding = find_drift(
        spec,
        reference_profile(champion),
        current=measured.profile,
        performance=performance_change(measured, spec),
    )
    if finding is None:
        return []
    return [
        finding.model_copy(
            update={
                "champion_version": champion.version,
                "reference_profile_uri": reference_uri(champion),
                "current_profile_uri": profile_uri,
            }
        )
    ]


def performance_change(measured: Measured, spec: ModelSpec) -> PerformanceChange | None:
    """The metric beside the one held out at training time; None where either is unknown.

    Degraded is what lost more than the tolerance and more than chance explains.
    """
    held_out = _held_out(measured.champion, spec.metric)
    if measured.metric is None or held_out is None:
        return None
    reference, error = held_out
    loss = reference - measured.metric.value
    return PerformanceChange(
        metric=spec.metric,
        reference=reference,
        current=measured.metric.value,
        rows=measured.metric.rows,
        degraded=loss > spec.tolerance and surpasses_chance(loss, error, measured.error),
    )


def _held_out(champion: ServedModel, metric: str) -> tuple[float, float | None] | None:
    """What the champion is held to, with its standard error.

    A challenger trained while things were bad may have been bad on its own held-out rows: it is
    held to what the first champion had there, if that was better.
    """
    known = [
        (champion.metrics[name], champion.metrics.get(error_of(name)))
        for name in (metric, expected(metric))
        if name in champion.metrics
    ]
    return max(known, key=lambda each: each[0], default=None)


def announce(findings: Sequence[DriftFinding]) -> list[DriftEvent]:
    """An event for each finding; of many columns, the least moved are left out until it fits."""
    return [_fitting(finding) for finding in findings]


def _fitting(finding: DriftFinding) -> DriftEvent:
    event = DriftEvent.model_validate(
        {
            "id": event_id(finding),
            "source": "/trimtab/pipelines/monitoring",
            "subject": finding.model,
            "time": datetime.now(UTC),
            "data": finding,
        }
    )
    if len(event.model_dump_json().encode()) <= MAX_EVENT_BYTES:
        return event
    shorter = {
        "features": finding.features[: len(finding.features) * 9 // 10],
        "quality": finding.quality[: len(finding.quality) * 9 // 10],
    }
    return _fitting(finding.model_copy(update=shorter))


def event_id(finding: DriftFinding) -> str:
    """The same for the same window of the same champion: to find it again is no new event.

    Short and readable, such as "2016-11-22T00:00Z-3f9a2c41": it stands in workflow ids.
    """
    start, end = finding.current.start.astimezone(UTC), finding.current.end.astimezone(UTC)
    what = digest([finding.model, finding.champion_version, start.isoformat(), end.isoformat()])
    return f"{start:%Y-%m-%dT%H:%MZ}-{what[:8]}"


def report_window(
    measured: Measured, spec: ModelSpec, findings: Sequence[DriftFinding], events: Sequence[Any]
) -> dict[str, JsonValue]:
    """What the window showed."""
    rows = measured.profile.window.rows
    metric = measured.metric.model_dump(mode="json") if measured.metric else None
    return {
        "rows": rows,
        "event": events[0].model_dump(mode="json") if events else None,
        "finding": findings[0].model_dump(mode="json") if findings else None,
        "metric": metric,
        "note": _note(measured, spec, drift=bool(findings)),
    }


def _note(measured: Measured, spec: ModelSpec, *, drift: bool) -> str:
    rows = measured.profile.window.rows
    if rows < spec.minimum_rows:
        return f"{rows} rows, fewer than minimum_rows = {spec.minimum_rows}: not examined"
    if drift:
        return "drift: an event was published"
    return "no drift" if measured.metric else "no drift; no labelled rows to measure on"


def create_pipeline() -> Pipeline:
    """One window against the champion's reference."""
    return pipeline(
        [
            request_node("monitoring"),
            Node(select_rows, ["history", "model_spec", "request"], "window_rows"),
            Node(
                measure_window,
                ["window_rows", "model_spec", "request", "registered_model"],
                "measured",
            ),
            Node(describe_run, "measured", "window_profile"),
            Node(examine, ["measured", "model_spec", "window_profile"], "findings"),
            Node(announce, "findings", "events"),
            Node(list, "events", "drift_events", name="publish"),
            Node(report_window, ["measured", "model_spec", "findings", "events"], "report"),
        ]
    )
