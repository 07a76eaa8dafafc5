"""Builds what is stored of a monitored window in its MLflow run, and the pipeline's report."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import JsonValue

from trimtab.contracts import tags
from trimtab.contracts.drift import DriftFinding, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import format_suppression
from trimtab.detection.performance.finding import build_finding
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.monitoring.cooldown import Publication
from trimtab.pipelines.monitoring.reference import WindowReference
from trimtab.pipelines.monitoring.signals import MeasuredSignals
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement


def build_run_record(
    measurement: WindowMeasurement,
    reference: WindowReference,
    impact: PerformanceImpact,
    findings: Sequence[DriftFinding],
) -> dict[str, Any]:
    """Return what the window's run stores, whether it drifted or not."""
    window = measurement.profile.window
    return {
        "profile": measurement.profile.model_dump(mode="json"),
        "finding": findings[0].model_dump(mode="json") if findings else None,
        "metrics": dict(_list_figures(measurement, impact)),
        "tags": {
            tags.WINDOW_START_TAG: window.start.isoformat(),
            tags.WINDOW_END_TAG: window.end.isoformat(),
            tags.CHAMPION_TAG: reference.champion.version,
            tags.DRIFT_TAG: "recorded" if findings else "none",  # until the event is published
        },
    }


def build_window_details(  # noqa: PLR0913, PLR0917 - each is one measurement of the window
    measurement: WindowMeasurement,
    spec: ModelSpec,
    reference: WindowReference,
    impact: PerformanceImpact,
    measured: MeasuredSignals,
    request: MonitoringRequest,
    faults: Sequence[QualityFault],
) -> dict[str, JsonValue]:
    """Return every column, drifted or not, and both profiles, if the request asks for details."""
    if not request.detailed:
        return {}
    finding = build_finding(
        spec,
        reference.profile,
        current=measurement.profile,
        performance=measurement.performance,
        thresholds=reference.compute_thresholds(measurement.profile),
        impact=impact,
        faults=faults,
        signals=measured.signals,
        extra_faults=measured.faults,
    )
    origin = {"champion_version": reference.champion.version}
    profiles = (reference.profile, measurement.profile)
    return {
        "shown": finding.model_copy(update=origin).model_dump(mode="json"),
        "profiles": [profile.model_dump(mode="json") for profile in profiles],
        "minimum_rows": spec.minimum_rows,
    }


def report_window(
    measurement: WindowMeasurement,
    spec: ModelSpec,
    findings: Sequence[DriftFinding],
    publication: Publication,
    details: dict[str, JsonValue],
) -> dict[str, JsonValue]:
    """Return the pipeline's report.

    `finding` is also set if it was only recorded; `event` is then None, and `suppression` says why.
    """
    events, suppression = publication.events, publication.suppression
    reported = [event.data for event in events] or findings
    metric = measurement.realised.metric
    return {
        "rows": measurement.profile.window.rows,
        "event": events[0].model_dump(mode="json") if events else None,
        "finding": reported[0].model_dump(mode="json") if reported else None,
        "metric": metric.model_dump(mode="json") if metric else None,
        "note": _format_note(measurement, spec, publication),
        "why": format_suppression(suppression) if suppression else "",
        "suppression": suppression.model_dump(mode="json") if suppression else None,
        **details,
    }


def _list_figures(
    measurement: WindowMeasurement, impact: PerformanceImpact
) -> Iterator[tuple[str, float]]:
    """Yield the known figures of the window with the metric names of its run."""
    metric, estimate = measurement.realised.metric, impact.estimate
    yield "rows", float(measurement.profile.window.rows)
    if metric:
        yield metric.metric, metric.value
    if estimate:
        yield f"{estimate.metric}_estimated", estimate.estimated
    if impact.concept_loss is not None:
        yield "concept_loss", impact.concept_loss
    if impact.multivariate:
        yield "multivariate_auc", impact.multivariate.auc


def _format_note(measurement: WindowMeasurement, spec: ModelSpec, publication: Publication) -> str:
    rows = measurement.profile.window.rows
    found = bool(publication.events or publication.suppression)
    if rows < spec.minimum_rows and not found:
        return f"{rows} rows, fewer than minimum_rows = {spec.minimum_rows}: not examined"
    if publication.events:
        return "drift: an event was published"
    if publication.suppression:
        return f"drift recorded, not published: {format_suppression(publication.suppression)}"
    if measurement.realised.metric:
        return "no drift"
    return "no drift; there were no labelled rows to measure the metric on"
