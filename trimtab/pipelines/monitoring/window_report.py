"""What is kept of a monitored window in its run, and what is told of it to whoever asked."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import JsonValue

from trimtab.contracts import tags
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import format_suppression
from trimtab.detection.performance.finding import look
from trimtab.detection.performance.performance_impact import Harm
from trimtab.pipelines.monitoring.cooldown import Publication
from trimtab.pipelines.monitoring.reference import Reference
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.realised_performance import Measured


def describe_run(
    measured: Measured, reference: Reference, harm: Harm, findings: Sequence[DriftFinding]
) -> dict[str, Any]:
    """What is kept of the window, drift or not, announced or not."""
    window = measured.profile.window
    return {
        "profile": measured.profile.model_dump(mode="json"),
        "finding": findings[0].model_dump(mode="json") if findings else None,
        "metrics": dict(_figures(measured, harm)),
        "tags": {
            tags.WINDOW_START_TAG: window.start.isoformat(),
            tags.WINDOW_END_TAG: window.end.isoformat(),
            tags.CHAMPION_TAG: reference.champion.version,
            tags.DRIFT_TAG: "recorded" if findings else "none",  # until it is on the stream
        },
    }


def show_window(
    measured: Measured,
    spec: ModelSpec,
    reference: Reference,
    harm: Harm,
    request: MonitoringRequest,
) -> dict[str, JsonValue]:
    """For a person who looks: every column, drifted or not, and both profiles."""
    if not request.detailed:
        return {}
    shown = look(
        spec,
        reference.profile,
        current=measured.profile,
        performance=measured.performance,
        thresholds=reference.thresholds(measured.profile),
        harm=harm,
    )
    origin = {"champion_version": reference.champion.version}
    profiles = (reference.profile, measured.profile)
    return {
        "shown": shown.model_copy(update=origin).model_dump(mode="json"),
        "profiles": [profile.model_dump(mode="json") for profile in profiles],
        "minimum_rows": spec.minimum_rows,
    }


def report_window(
    measured: Measured,
    spec: ModelSpec,
    findings: Sequence[DriftFinding],
    publication: Publication,
    shown: dict[str, JsonValue],
) -> dict[str, JsonValue]:
    """What the window showed: `finding` also where it was recorded only and `event` is None."""
    events, suppression = publication.events, publication.suppression
    told = [event.data for event in events] or findings
    metric = measured.realised.metric
    return {
        "rows": measured.profile.window.rows,
        "event": events[0].model_dump(mode="json") if events else None,
        "finding": told[0].model_dump(mode="json") if told else None,
        "metric": metric.model_dump(mode="json") if metric else None,
        "note": _note(measured, spec, publication),
        "why": format_suppression(suppression) if suppression else "",
        "suppression": suppression.model_dump(mode="json") if suppression else None,
        **shown,
    }


def _figures(measured: Measured, harm: Harm) -> Iterator[tuple[str, float]]:
    """The window's figures that are known, by the names that its run keeps them under."""
    metric, estimate = measured.realised.metric, harm.estimate
    yield "rows", float(measured.profile.window.rows)
    if metric:
        yield metric.metric, metric.value
    if estimate:
        yield f"{estimate.metric}_estimated", estimate.estimated
    if harm.concept_loss is not None:
        yield "concept_loss", harm.concept_loss
    if harm.multivariate:
        yield "multivariate_auc", harm.multivariate.auc


def _note(measured: Measured, spec: ModelSpec, publication: Publication) -> str:
    rows = measured.profile.window.rows
    if rows < spec.minimum_rows:
        return f"{rows} rows, fewer than minimum_rows = {spec.minimum_rows}: not examined"
    if publication.events:
        return "drift: an event was published"
    if publication.suppression:
        return f"drift recorded, not published: {format_suppression(publication.suppression)}"
    return "no drift" if measured.realised.metric else "no drift; no labelled rows to measure on"
