"""Makes a drift event of another detector's report, with what the model's configuration adds."""

from datetime import UTC, datetime

from pydantic import ValidationError

from trimtab.adapters.reports.report import ForeignReport, MalformedReportError
from trimtab.contracts.base import digest
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
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.validation_errors import format_validation_errors

Performance = PerformanceChange | PerformanceEstimate


def event_from(
    report: ForeignReport,
    spec: ModelSpec,
    *,
    current: Window,
    reference: Window,
    severity: Severity = Severity.MEDIUM,
) -> DriftEvent:
    """The event; the same report again gives the same id. Raises `MalformedReportError`."""
    features = tuple(_known(each, spec) for each in report.features[:MAX_FEATURES])
    start, end = current.start.astimezone(UTC), current.end.astimezone(UTC)
    drifted = sorted(each.name for each in features if each.drifted)
    told = chosen(report, spec)
    known = [spec.name, report.detector, start.isoformat(), end.isoformat(), *drifted]
    known += [f"{type(told).__name__} {told.metric} {told.degraded}"] if told else []
    event_id = f"{start:%Y-%m-%dT%H:%MZ}-{digest(known)[:8]}"
    try:
        return DriftEvent(
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
                performance=told if isinstance(told, PerformanceChange) else None,
                estimate=told if isinstance(told, PerformanceEstimate) else None,
                detector=report.detector,
            ),
        )
    except ValidationError as error:
        fault = format_validation_errors(error, max_value_length=0)[0]
        raise MalformedReportError(fault) from error


def chosen(report: ForeignReport, spec: ModelSpec) -> Performance | None:
    """The one metric that an event carries: the model's own, or else one that degraded."""
    found = sorted(report.performances, key=lambda each: not each.degraded)
    own = [each for each in found if each.metric == spec.metric]
    return next(iter([*own, *found]), None)


def _known(feature: FeatureDrift, spec: ModelSpec) -> FeatureDrift:
    """Kind and role as the model's configuration has them."""
    kinds = {each.name: each.kind for each in spec.features}
    told = FeatureKind.NUMERIC if spec.task is Task.REGRESSION else FeatureKind.CATEGORICAL
    if feature.name == spec.target:
        return feature.model_copy(update={"role": FeatureRole.TARGET, "kind": told})
    if feature.name in {spec.prediction, "prediction"} - set(kinds):
        return feature.model_copy(update={"role": FeatureRole.PREDICTION, "kind": told})
    return feature.model_copy(update={"kind": kinds.get(feature.name, feature.kind)})
