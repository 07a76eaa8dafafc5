"""Builds a drift event from another detector's report and the model's configuration."""

from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from trimtab.adapters.reports.report import (
    ForeignReport,
    MalformedReportError,
    ReportedPerformance,
)
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import (
    MAX_FEATURES,
    DriftEvent,
    DriftFinding,
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Severity,
    Window,
)
from trimtab.contracts.event_bounds import find_implausible_values
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.validation_errors import format_validation_errors

_MAX_FAULTS: Final = 5
"""Faults of one event that a message names."""


def build_event(
    report: ForeignReport,
    spec: ModelSpec,
    *,
    current: Window,
    reference: Window,
    severity: Severity = Severity.MEDIUM,
) -> DriftEvent:
    """Return the event; the same report gives the same id.

    Raises:
        MalformedReportError: The report makes no valid event.
    """
    features = tuple(_apply_spec(each, spec) for each in report.features[:MAX_FEATURES])
    start, end = current.start.astimezone(UTC), current.end.astimezone(UTC)
    drifted = sorted(each.name for each in features if each.drifted)
    reported = choose_performance(report, spec)
    known = [spec.name, report.detector, start.isoformat(), end.isoformat(), *drifted]
    if reported:
        known.append(f"{type(reported).__name__} {reported.metric} {reported.degraded}")
    event_id = f"{start:%Y-%m-%dT%H:%MZ}-{compute_digest(known)[:8]}"
    try:
        event = DriftEvent(
            id=event_id,
            source=f"/{report.detector.replace(' ', '/')}",
            subject=spec.name,
            time=report.made_at or datetime.now(UTC),
            correlationid=event_id,
            data=DriftFinding(
                model=spec.name,
                reference=reference,
                current=current,
                severity=severity,
                features=features,
                performance=reported if isinstance(reported, PerformanceChange) else None,
                estimate=reported if isinstance(reported, PerformanceEstimate) else None,
                detector=report.detector,
            ),
        )
    except ValidationError as error:
        fault = format_validation_errors(error, max_value_length=0)[0]
        raise MalformedReportError(fault) from error
    if implausible := find_implausible_values(event):
        raise MalformedReportError("; ".join(implausible[:_MAX_FAULTS]))
    return event


def choose_performance(report: ForeignReport, spec: ModelSpec) -> ReportedPerformance | None:
    """Return the one metric that an event carries: the model's own, or else one that degraded."""
    found = sorted(report.performances, key=lambda each: not each.degraded)
    own = [each for each in found if each.metric == spec.metric]
    return next(iter([*own, *found]), None)


def _apply_spec(feature: FeatureDrift, spec: ModelSpec) -> FeatureDrift:
    """Return a column with kind and role as the model's configuration has them."""
    kinds = {each.name: each.kind for each in spec.features}
    target_kind = FeatureKind.NUMERIC if spec.task is Task.REGRESSION else FeatureKind.CATEGORICAL
    if feature.name == spec.target:
        return feature.model_copy(update={"role": FeatureRole.TARGET, "kind": target_kind})
    if feature.name in {spec.prediction, "prediction"} - set(kinds):
        return feature.model_copy(update={"role": FeatureRole.PREDICTION, "kind": target_kind})
    return feature.model_copy(update={"kind": kinds.get(feature.name, feature.kind)})
