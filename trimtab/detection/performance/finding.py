"""Builds the finding of one comparison, from two profiles, the metric and the performance impact.

Everything that is found is recorded; `should_publish` decides whether an event announces it.
"""

from trimtab.contracts.drift import MAX_FEATURES, DriftFinding, PerformanceChange
from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.column_drift import PsiThresholds, measure_feature_drift
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.performance.performance_impact import (
    PerformanceImpact,
    add_impact,
    is_harmful,
)
from trimtab.detection.performance.severity import compute_severity
from trimtab.detection.profiles.window_profile import WindowProfile


def find_drift(
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
) -> DriftFinding | None:
    """Return the finding, or None if the window has too few rows or shows no drift."""
    if current.window.rows < spec.minimum_rows:
        return None
    finding = build_finding(
        spec,
        reference,
        current=current,
        performance=performance,
        thresholds=thresholds,
        impact=impact,
    )
    return finding if shows_drift(finding) else None


def build_finding(
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
) -> DriftFinding:
    """Return everything that the current window shows, whether it drifted or not."""
    impact = impact or PerformanceImpact()
    drifts = measure_feature_drift(
        reference, current, sensitivity=spec.sensitivity, thresholds=thresholds
    )
    drifts = add_impact(drifts, impact, performance=performance)
    faults = find_window_faults(reference, current, spec=spec)
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=compute_severity(
            drifts,
            performance=performance,
            estimate=impact.estimate,
            tolerance=spec.tolerance,
            corrupt=any(fault.corrupt for fault in faults),
        ),
        features=drifts[:MAX_FEATURES],
        quality=faults[:MAX_FEATURES],
        performance=performance,
        estimate=impact.estimate,
        concept_loss=impact.concept_loss,
        multivariate=impact.multivariate,
    )


def should_publish(finding: DriftFinding, spec: ModelSpec) -> bool:
    """Return whether the finding is worth an event.

    It is if the data is broken or the drift is not known to be harmless.
    """
    broken = any(map(warrants_event, finding.quality))
    return broken or is_harmful(finding, tolerance=spec.tolerance)


def shows_drift(finding: DriftFinding) -> bool:
    """Return whether the finding holds any kind of drift.

    Drift is a drifted column, rows that can be separated from the reference, a metric that degraded
    or is expected to have degraded, or a fault that corrupts the window or changes the structure of
    a column. Single dirty rows are not drift.
    """
    changes = (finding.performance, finding.estimate)
    return (
        bool(finding.drifted)
        or any(change is not None and change.degraded for change in changes)
        or (finding.multivariate is not None and finding.multivariate.drifted)
        or any(map(warrants_event, finding.quality))
    )
