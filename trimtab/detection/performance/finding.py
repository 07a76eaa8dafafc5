"""Builds the finding of one comparison, from two profiles, the metric and the performance impact.

Everything that is found is recorded; `should_publish` decides whether an event announces it.
"""

from collections.abc import Sequence
from typing import Final

from trimtab.contracts.drift import (
    MAX_FEATURES,
    DriftFinding,
    FaultKind,
    PerformanceChange,
    QualityFault,
    Severity,
)
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.window_signals import WindowSignals
from trimtab.detection.drift.column_drift import PsiThresholds, measure_feature_drift
from trimtab.detection.drift.data_quality import find_window_faults, rank_faults
from trimtab.detection.drift.fault_gravity import weigh_faults
from trimtab.detection.drift.quality_faults import is_structural, warrants_event
from trimtab.detection.drift.signal_changes import has_risen_beyond_chance, list_signal_changes
from trimtab.detection.performance.label_faults import merge_label_faults
from trimtab.detection.performance.performance_impact import (
    PerformanceImpact,
    add_impact,
    compute_overall_loss,
    is_harmful,
    is_overruled,
)
from trimtab.detection.performance.severity import compute_severity
from trimtab.detection.profiles.window_profile import WindowProfile

_ROW_COUNT_KINDS: Final[frozenset[FaultKind]] = frozenset({"no_rows", "few_rows"})


def find_drift(  # noqa: PLR0913 - what was measured of a window, each on its own
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
    faults: Sequence[QualityFault] | None = None,
    signals: WindowSignals | None = None,
    extra_faults: Sequence[QualityFault] = (),
) -> DriftFinding | None:
    """Return the finding, or None if the window shows no drift.

    A window with too few rows to be judged can still be faulty: the finding then holds only the
    faults of the window as a whole. `faults` as for `build_finding`.
    """
    if current.window.rows < spec.minimum_rows:
        found = find_window_faults(reference, current, spec=spec) if faults is None else faults
        whole = [fault for fault in found if fault.kind in _ROW_COUNT_KINDS and fault.corrupt]
        return _build_row_count_finding(spec, reference, current, whole) if whole else None
    finding = build_finding(
        spec,
        reference,
        current=current,
        performance=performance,
        thresholds=thresholds,
        impact=impact,
        faults=faults,
        signals=signals,
        extra_faults=extra_faults,
    )
    return finding if shows_drift(finding, spec) else None


def build_finding(  # noqa: PLR0913 - what was measured of a window, each on its own
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: PsiThresholds | None = None,
    impact: PerformanceImpact | None = None,
    faults: Sequence[QualityFault] | None = None,
    signals: WindowSignals | None = None,
    extra_faults: Sequence[QualityFault] = (),
) -> DriftFinding:
    """Return everything that the current window shows, whether it drifted or not.

    `faults` are those found in the window's rows; None to find them in the profiles alone.
    `extra_faults` are found elsewhere, such as those of the labels.
    """
    impact = impact or PerformanceImpact()
    overruled = is_overruled(impact.estimate, performance, rows=current.window.rows)
    drifts = measure_feature_drift(
        reference, current, sensitivity=spec.sensitivity, thresholds=thresholds
    )
    drifts = add_impact(drifts, impact, performance=performance)
    found = find_window_faults(reference, current, spec=spec) if faults is None else faults
    weighed = rank_faults(
        weigh_faults(
            merge_label_faults(found, extra_faults),
            impact.importance,
            tolerance=spec.tolerance,
            loss=compute_overall_loss(performance, impact.estimate),
        )
    )
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=compute_severity(
            drifts,
            performance=performance,
            estimate=None if overruled else impact.estimate,
            tolerance=spec.tolerance,
            corrupt=any(fault.corrupt for fault in weighed),
        ),
        features=drifts[:MAX_FEATURES],
        quality=weighed[:MAX_FEATURES],
        performance=performance,
        estimate=impact.estimate,
        concept_loss=impact.concept_loss,
        multivariate=impact.multivariate,
        signals=signals,
    )


def _build_row_count_finding(
    spec: ModelSpec,
    reference: WindowProfile,
    current: WindowProfile,
    faults: Sequence[QualityFault],
) -> DriftFinding:
    """Return the finding of a window with hardly any rows; one without any is critical."""
    dead = any(fault.kind == "no_rows" for fault in faults)
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=Severity.CRITICAL if dead else Severity.HIGH,
        quality=tuple(faults),
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
        or any(fault.corrupt or is_structural(fault) for fault in finding.quality)
        or any(list_signal_changes(finding, tolerance=spec.tolerance))
        or (
            performance is not None
            and has_risen_beyond_chance(performance, tolerance=spec.tolerance)
        )
    )
