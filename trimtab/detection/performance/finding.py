"""Puts one comparison together: from two profiles, the metric and the harm to a finding.

What is found is recorded; what of it is announced is said by `is_announced`.
"""

from trimtab.contracts.drift import MAX_FEATURES, DriftFinding, PerformanceChange
from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.column_drift import Thresholds, compare
from trimtab.detection.drift.data_quality import announces, find_faults
from trimtab.detection.performance.performance_impact import Harm, is_harmful, with_impact
from trimtab.detection.performance.severity import severity_of
from trimtab.detection.profiles.window_profile import WindowProfile


def find_drift(
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: Thresholds | None = None,
    harm: Harm | None = None,
) -> DriftFinding | None:
    """What the current window shows; None where it holds too few rows or nothing to tell.

    Worth telling are a drifted column, rows that can be told apart, a metric that degraded or is
    expected to, and faults that corrupt the window or change a column's make-up; single dirty
    rows are not.
    """
    if current.window.rows < spec.minimum_rows:
        return None
    found = look(
        spec,
        reference,
        current=current,
        performance=performance,
        thresholds=thresholds,
        harm=harm,
    )
    return found if tells(found) else None


def look(
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: Thresholds | None = None,
    harm: Harm | None = None,
) -> DriftFinding:
    """Everything that the current window shows, whether it is worth telling or not."""
    harm = harm or Harm()
    drifts = compare(reference, current, sensitivity=spec.sensitivity, thresholds=thresholds)
    drifts = with_impact(drifts, harm, performance=performance)
    faults = find_faults(reference, current, spec=spec)
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=severity_of(
            drifts,
            performance=performance,
            estimate=harm.estimate,
            tolerance=spec.tolerance,
            corrupt=any(fault.corrupt for fault in faults),
        ),
        features=drifts[:MAX_FEATURES],
        quality=faults[:MAX_FEATURES],
        performance=performance,
        estimate=harm.estimate,
        concept_loss=harm.concept_loss,
        multivariate=harm.multivariate,
    )


def is_announced(finding: DriftFinding, spec: ModelSpec) -> bool:
    """Whether it is worth an event: broken data, or drift that is not known to be harmless."""
    broken = any(map(announces, finding.quality))
    return broken or is_harmful(finding, tolerance=spec.tolerance)


def tells(finding: DriftFinding) -> bool:
    """Whether something is out of order in it."""
    changes = (finding.performance, finding.estimate)
    return (
        bool(finding.drifted)
        or any(change is not None and change.degraded for change in changes)
        or (finding.multivariate is not None and finding.multivariate.drifted)
        or any(map(announces, finding.quality))
    )
