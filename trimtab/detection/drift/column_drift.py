"""Decides which columns drifted: those with a large enough effect size and a significant test.

A test alone would call nearly every large window drifted; an effect size alone would call small
windows drifted by chance.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from trimtab.contracts.comparison import ColumnTest, EffectSizes
from trimtab.contracts.drift import FeatureDrift, FeatureRole
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.effect_sizes import compute_effect_sizes
from trimtab.detection.drift.reasons import (
    DriftLimits,
    format_change,
    format_drift_reason,
)
from trimtab.detection.drift.significance import adjust_p_values, run_significance_test
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

MIN_VALUES_TO_COMPARE: Final = 30
"""Values that a column needs on either side to be compared."""

PsiThresholds = Mapping[str, float]
"""Calibrated population stability index by column name: the largest that chance explains. The
configured floor applies where it is larger, and to columns that are not in the mapping."""


class LearntThresholds(dict[str, float]):
    """Thresholds by column name, with the number of windows that they were learnt from."""

    windows: int = 0
    """Blocks of the reference."""


class ColumnChange(NamedTuple):
    """The comparison of one column between reference and current window."""

    reference: ColumnProfile
    current: ColumnProfile
    effects: EffectSizes
    test: ColumnTest
    threshold: float
    """Population stability index from which the column counts as drifted."""
    drifted: bool
    why: str
    """One sentence that explains `drifted`."""
    change: str
    """What changed most in the column; empty if it did not drift."""


def measure_feature_drift(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    thresholds: PsiThresholds | None = None,
) -> tuple[FeatureDrift, ...]:
    """Return the drift of each column that can be compared, the largest drift first.

    `current` must be counted over the bins of `reference`.
    """
    changes = compare_columns(reference, current, sensitivity=sensitivity, thresholds=thresholds)
    return tuple(_build_feature_drift(change) for change in changes)


def compare_columns(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    thresholds: PsiThresholds | None = None,
) -> tuple[ColumnChange, ...]:
    """Compare each column with enough values in both profiles, the largest drift first.

    `current` must be counted over the bins of `reference`. P-values are adjusted for the number of
    columns that are compared.
    """
    limits, calibrated = sensitivity or Sensitivity(), thresholds or {}
    windows = calibrated.windows if isinstance(calibrated, LearntThresholds) else 0
    pairs = [
        (before, now)
        for now in current.columns
        if (before := reference.find(now.column.name)) and are_comparable(before, now)
    ]
    results = [run_significance_test(before, now) for before, now in pairs]
    adjusted = adjust_p_values([result.p_value for result in results], limits.correction)
    changes = []
    for (before, now), result, p_value in zip(pairs, results, adjusted, strict=True):
        test = ColumnTest(
            name=result.name, statistic=result.statistic, p=result.p_value, adjusted_p=p_value
        )
        threshold = _choose_threshold(now, limits, calibrated)
        drift_limits = DriftLimits(threshold, limits.p_value, limits.psi, windows)
        changes.append(_build_change(before, now, test=test, limits=drift_limits))
    return tuple(sorted(changes, key=_rank_change))


def are_comparable(reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Return whether both profiles have the same kind and bins and enough values."""
    same_kind = reference.column.kind is current.column.kind
    same_bins = len(reference.counts) == len(current.counts)
    fewest = min(reference.value_count, current.value_count)
    return same_kind and same_bins and fewest >= MIN_VALUES_TO_COMPARE


def _choose_threshold(
    column: ColumnProfile, limits: Sensitivity, calibrated: PsiThresholds
) -> float:
    """Return the calibrated threshold, or the configured floor if that is larger.

    Targets and predictions have a lower floor than inputs, because they are the purpose of the
    model; it applies only if their threshold is calibrated.
    """
    by_chance = calibrated.get(column.column.name)
    if by_chance is None:
        return limits.psi
    outcome = column.column.role is not FeatureRole.FEATURE
    return max(min(limits.outcome_psi, limits.psi) if outcome else limits.psi, by_chance)


def _build_change(
    reference: ColumnProfile, current: ColumnProfile, *, test: ColumnTest, limits: DriftLimits
) -> ColumnChange:
    effects = compute_effect_sizes(reference, current)
    drifted = effects.psi >= limits.threshold and test.adjusted_p <= limits.alpha
    why = format_drift_reason(effects, test, limits=limits, columns=(reference, current))
    change = format_change(reference, current) if drifted else ""
    return ColumnChange(reference, current, effects, test, limits.threshold, drifted, why, change)


def _rank_change(change: ColumnChange) -> tuple[bool, float, str]:
    """Return the sort key: drifted columns first, then by population stability index."""
    return (not change.drifted, -change.effects.psi, change.current.column.name)


def _build_feature_drift(change: ColumnChange) -> FeatureDrift:
    return FeatureDrift(
        name=change.current.column.name,
        kind=change.current.column.kind,
        role=change.current.column.role,
        **change.effects.model_dump(),
        test=change.test.name,
        statistic=change.test.statistic,
        p_value=change.test.adjusted_p,
        raw_p_value=change.test.p,
        threshold=change.threshold,
        why=change.why,
        change=change.change,
        null_fraction_reference=change.reference.null_fraction,
        null_fraction_current=change.current.null_fraction,
        mean_reference=change.reference.mean,
        mean_current=change.current.mean,
        drifted=change.drifted,
    )
