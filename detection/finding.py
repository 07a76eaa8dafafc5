"""Puts one comparison together: from two profiles and the metric to a finding, or to none."""

from contracts.drift import MAX_FEATURES, DriftFinding, PerformanceChange
from contracts.model import ModelSpec
from detection.drift import Thresholds, compare
from detection.profile import WindowProfile
from detection.quality import announces, find_faults
from detection.severity import severity_of


def find_drift(
    spec: ModelSpec,
    reference: WindowProfile,
    *,
    current: WindowProfile,
    performance: PerformanceChange | None,
    thresholds: Thresholds | None = None,
) -> DriftFinding | None:
    """What the current window shows; None where it holds too few rows or nothing to announce.

    Worth announcing are a drifted column, a degraded metric, and faults that corrupt the window
    or change a column's make-up; single dirty rows are not.
    """
    if current.window.rows < spec.minimum_rows:
        return None
    drifts = compare(reference, current, thresholds=thresholds)
    faults = find_faults(reference, current, spec=spec)
    degraded = performance is not None and performance.degraded
    if not degraded and not any(d.drifted for d in drifts) and not any(map(announces, faults)):
        return None
    return DriftFinding(
        model=spec.name,
        reference=reference.window,
        current=current.window,
        severity=severity_of(
            drifts,
            performance=performance,
            tolerance=spec.tolerance,
            corrupt=any(fault.corrupt for fault in faults),
        ),
        features=drifts[:MAX_FEATURES],
        quality=faults[:MAX_FEATURES],
        performance=performance,
    )
