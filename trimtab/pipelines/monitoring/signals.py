"""Measures what tells the causes of a window's change apart, beside drift, faults and the metric.

What costs time is measured only where it matters: where the metric is worse or better than usual,
or where the window already holds a finding.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import pandas as pd

from trimtab.contracts.drift import PerformanceChange, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.window_signals import WindowSignals
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.performance.finding import find_drift
from trimtab.detection.performance.label_faults import DueLabels, find_label_faults
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.history.rows import cast_targets
from trimtab.pipelines.monitoring.reference import WindowReference
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.learnability import measure_learnability
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement

MIN_GRAVE_IMPORTANCE: Final = 0.2
"""Share of the importance of all features from which a broken one explains unlearnable labels."""


class MeasuredSignals(NamedTuple):
    """The signals of a window, and faults that only they show."""

    signals: WindowSignals
    faults: tuple[QualityFault, ...] = ()


def measure_signals(
    rows: pd.DataFrame,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    measurement: WindowMeasurement,
    impact: PerformanceImpact,
) -> MeasuredSignals:
    """Return the signals of the window; those that do not matter in it stay None."""
    due = rows[rows[spec.timestamp] < request.judged_at - spec.label_delay]
    performance = measurement.performance
    learnability = None
    if _deserves_look(spec, reference, measurement, impact):
        learnability = measure_learnability(due, spec, reference.champion)
    broken = _has_broken_feature(spec, reference, measurement, impact)
    faults = find_label_faults(
        spec.target,
        due=_count_due_labels(due, spec, reference),
        performance=performance,
        learnability=None if broken else learnability,
    )
    signals = WindowSignals(
        learnability=learnability,
        unmeasured=tuple(_list_unmeasured(performance)),
    )
    return MeasuredSignals(signals, faults)


def _deserves_look(
    spec: ModelSpec,
    reference: WindowReference,
    measurement: WindowMeasurement,
    impact: PerformanceImpact,
) -> bool:
    """Return whether the metric moved beyond its tolerance, or the window holds a finding."""
    performance = measurement.performance
    if performance is None:
        return False
    if abs(performance.reference - performance.current) > spec.tolerance:
        return True
    finding = find_drift(
        spec,
        reference.profile,
        current=measurement.profile,
        performance=performance,
        thresholds=reference.compute_thresholds(measurement.profile),
        impact=impact,
    )
    return finding is not None


def _has_broken_feature(
    spec: ModelSpec,
    reference: WindowReference,
    measurement: WindowMeasurement,
    impact: PerformanceImpact,
) -> bool:
    """Return whether a feature that matters is corrupt: then labels are not to blame."""
    weights = {name: max(value, 0.0) for name, value in impact.importance.items()}
    total = sum(weights.values())
    features = {feature.name for feature in spec.features}
    faults = find_window_faults(reference.profile, measurement.profile, spec=spec)
    return any(
        fault.corrupt
        and fault.column in features
        and (not total or weights.get(fault.column, 0.0) >= MIN_GRAVE_IMPORTANCE * total)
        for fault in faults
    )


def _count_due_labels(due: pd.DataFrame, spec: ModelSpec, reference: WindowReference) -> DueLabels:
    if spec.target not in due:
        return DueLabels(0, 0, 0.0)
    before = reference.profile.find(spec.target)
    missing = int(cast_targets(due, spec).isna().sum())
    return DueLabels(len(due), missing, before.null_fraction if before else 0.0)


def _list_unmeasured(performance: PerformanceChange | None) -> Iterator[str]:
    if performance is None:
        yield "labels"
