"""Builds the finding of one comparison, from two profiles, the metric and the performance impact.

Everything that is found is recorded; `should_publish` decides whether an event announces it.
"""

from collections.abc import Sequence

from trimtab.contracts.drift import MAX_FEATURES, DriftFinding, PerformanceChange, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.window_signals import WindowSignals
from trimtab.detection.drift.column_drift import PsiThresholds, measure_feature_drift
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.drift.signal_changes import has_risen_beyond_chance, list_signal_changes
from trimtab.detection.performance.label_faults import merge_label_faults
from trimtab.detection.performance.performance_impact import (
    PerformanceImpact,
    add_impact,
    is_harmful,
    is_overruled,
)
from trimtab.detection.performance.severity import compute_severity
from trimtab.detection.profiles.window_profile import WindowProfile


def find_drift(  # noqa: PLR0913 - each is one measurement of the window
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
    signals: WindowSignals | None = None,
    extra_faults: Sequence[QualityFault] = (),
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
        signals=signals,
        extra_faults=extra_faults,
    )
    return finding if shows_drift(finding, spec) else None


def build_finding(  # noqa: PLR0913 - each is one measurement of the window
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
    signals: WindowSignals | None = None,
    extra_faults: Sequence[QualityFault] = (),
) -> DriftFinding:
    """Return everything that the current window shows, whether it drifted or not.

    `extra_faults` are found elsewhere than in the profiles, such as those of the labels.
    """
    impact = impact or PerformanceImpact()
    overruled = is_overruled(impact.estimate, performance, rows=current.window.rows)
    drifts = measure_feature_drift(
        reference, current, sensitivity=spec.sensitivity, thresholds=thresholds
    )
    drifts = add_impact(drifts, impact, performance=performance)
    faults = merge_label_faults(find_window_faults(reference, current, spec=spec), extra_faults)
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=compute_severity(
            drifts,
            performance=performance,
            estimate=None if overruled else impact.estimate,
            tolerance=spec.tolerance,
            corrupt=any(fault.corrupt for fault in faults),
        ),
        features=drifts[:MAX_FEATURES],
        quality=faults[:MAX_FEATURES],
        performance=performance,
        estimate=impact.estimate,
        concept_loss=impact.concept_loss,
        multivariate=impact.multivariate,
        signals=signals,
    )


def should_publish(finding: DriftFinding, spec: ModelSpec) -> bool:
    """Return whether the finding is worth an event.

    It is if the data is broken, if the drift is not known to be harmless, or if the champion has
    no skill or a new model would be better.
    """
    broken = any(map(warrants_event, finding.quality))
    signalled = any(list_signal_changes(finding, tolerance=spec.tolerance))
    return broken or signalled or is_harmful(finding, tolerance=spec.tolerance)


def shows_drift(finding: DriftFinding, spec: ModelSpec) -> bool:
    """Return whether the finding holds any kind of drift.

    Drift is a drifted column, rows that can be separated from the reference, a metric that degraded
    or rose beyond belief, or that is expected to have degraded where labels do not contradict, or a
    fault that corrupts the window or changes the structure of a column. Single dirty rows are not
    drift. A champion without skill and a new model that would be better are shown as well.
    """
    performance, estimate = finding.performance, finding.estimate
    overruled = is_overruled(estimate, performance, rows=finding.current.rows)
    return (
        bool(finding.drifted)
        or (performance is not None and performance.degraded)
        or (estimate is not None and estimate.degraded and not overruled)
        or (finding.multivariate is not None and finding.multivariate.drifted)
        or any(map(warrants_event, finding.quality))
        or any(list_signal_changes(finding, tolerance=spec.tolerance))
        or (
            performance is not None
            and has_risen_beyond_chance(performance, tolerance=spec.tolerance)
        )
    )
