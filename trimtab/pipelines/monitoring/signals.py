"""Measures what tells the causes of a window's change apart, beside drift, faults and the metric.

What costs time is measured only where it matters: where the metric is worse or better than usual,
or where the window already holds a finding.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import pandas as pd

from trimtab.contracts.drift import DriftFinding, QualityFault
from trimtab.contracts.fitted import ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.window_signals import SeasonalMatch, ShadowChallenger, WindowSignals
from trimtab.detection.drift.category_changes import compute_new_category_share
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.performance.finding import find_drift
from trimtab.detection.performance.label_faults import DueLabels, find_label_faults
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.detection.performance.release_history import (
    count_windows_since_release,
    estimate_windows_since_release,
)
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import cast_targets
from trimtab.pipelines.history.seasonal_match import measure_seasonal_match
from trimtab.pipelines.monitoring.reference import WindowReference
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.earlier_champions import measure_regained_share
from trimtab.pipelines.scoring.learnability import measure_learnability
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement
from trimtab.pipelines.scoring.shadow_challenger import (
    LabelledWindow,
    measure_shadow_challenger,
)

MIN_GRAVE_IMPORTANCE: Final = 0.2
"""Share of the importance of all features from which a broken one explains unlearnable labels."""


class MeasuredSignals(NamedTuple):
    """The signals of a window, and faults that only they show."""

    signals: WindowSignals
    faults: tuple[QualityFault, ...] = ()


def measure_signals(  # noqa: PLR0913, PLR0917 - a node names each dataset that it reads
    history: HistoryTable,
    rows: pd.DataFrame,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    measurement: WindowMeasurement,
    impact: PerformanceImpact,
    models: ServedModels,
) -> MeasuredSignals:
    """Return the signals of the window; those that do not matter in it stay None."""
    due = rows[rows[spec.timestamp] < request.judged_at - spec.label_delay]
    champion, performance = reference.champion, measurement.performance
    finding = find_drift(
        spec,
        reference.profile,
        current=measurement.profile,
        performance=performance,
        thresholds=reference.compute_thresholds(measurement.profile),
        impact=impact,
    )
    learnability = challenger = None
    if performance is not None:
        lossy = performance.windows
        window = LabelledWindow(due, request.time_range, lossy)
        challenger = measure_shadow_challenger(window, history, spec, champion)
        moved = abs(performance.reference - performance.current) > spec.tolerance
        if moved or finding is not None:
            learnability = measure_learnability(due, spec, champion)
    broken = _has_broken_feature(spec, reference, measurement, impact)
    faults = find_label_faults(
        spec.target,
        due=_count_due_labels(due, spec, reference),
        performance=performance,
        learnability=None if broken else learnability,
    )
    released = _count_windows_since_release(spec, request, champion)
    regained = None
    if performance is not None and performance.windows:
        regained = measure_regained_share(
            due, spec, models, performance=performance, start=request.start
        )
    signals = WindowSignals(
        learnability=learnability,
        support=impact.support,
        challenger=challenger,
        season=_measure_season(history, spec, reference, measurement, finding),
        new_category_share=compute_new_category_share(reference.profile, measurement.profile),
        released_windows_ago=released,
        regained=regained,
        unmeasured=tuple(_list_unmeasured(spec, measurement, impact, challenger)),
    )
    return MeasuredSignals(signals, faults)


def _count_windows_since_release(
    spec: ModelSpec, request: MonitoringRequest, champion: ServedModel
) -> int | None:
    """Return it from the monitored windows, or else from the version's own tags."""
    counted = count_windows_since_release(
        champion.version, champion.served_windows(), before=request.start
    )
    if counted is not None:
        return counted
    length = request.end - request.start
    return estimate_windows_since_release(
        champion, end=request.end, length=length, label_delay=spec.label_delay
    )


def _measure_season(
    history: HistoryTable,
    spec: ModelSpec,
    reference: WindowReference,
    measurement: WindowMeasurement,
    finding: DriftFinding | None,
) -> SeasonalMatch | None:
    """Return how far the columns that drifted look as they did a season ago; None if none did."""
    moved = [each.name for each in finding.drifted] if finding else []
    if not moved:
        return None
    return measure_seasonal_match(
        history, spec, reference=reference.profile, current=measurement.profile, moved=moved
    )


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


def _list_unmeasured(
    spec: ModelSpec,
    measurement: WindowMeasurement,
    impact: PerformanceImpact,
    challenger: ShadowChallenger | None,
) -> Iterator[str]:
    """Yield the names of what would have helped and could not be measured."""
    performance = measurement.performance
    if performance is None:
        yield "labels"
        return
    if challenger is None:
        yield "shadow challenger"
    if performance.reference - performance.current > spec.tolerance and impact.support is None:
        yield "support"
    if performance.spread is None:
        yield "spread"
