"""Which columns drifted: those where an effect size and a test both say so.

A test alone calls every large enough window drifted; an effect size alone calls small windows
drifted by chance.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from trimtab.contracts.comparison import ColumnTest, EffectSizes
from trimtab.contracts.drift import FeatureDrift, FeatureRole
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.effect_sizes import effects_of
from trimtab.detection.drift.reasons import format_change, reason
from trimtab.detection.drift.significance import adjusted, significance
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

FEWEST_VALUES: Final = 30
"""Columns with fewer values on either side are not compared."""

Thresholds = Mapping[str, float]
"""Column to the population stability index that chance explains; the floor of the configured
sensitivity holds where that is more, and for columns left out."""


class Move(NamedTuple):
    """What became of one column."""

    reference: ColumnProfile
    current: ColumnProfile
    effects: EffectSizes
    test: ColumnTest
    threshold: float
    drifted: bool
    why: str
    change: str
    """What changed; empty where it did not drift."""


def compare(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[FeatureDrift, ...]:
    """Every column with enough values in both profiles, worst first.

    `current` is counted over `reference`'s bins.
    """
    found = moves(reference, current, sensitivity=sensitivity, thresholds=thresholds)
    return tuple(_feature_drift(move) for move in found)


def moves(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[Move, ...]:
    """The same, each column with its two profiles."""
    limits, calibrated = sensitivity or Sensitivity(), thresholds or {}
    pairs = [
        (before, now)
        for now in current.columns
        if (before := reference.find(now.column.name)) and comparable(before, now)
    ]
    tests = [significance(before, now) for before, now in pairs]
    raised = adjusted([test.p_value for test in tests], limits.correction)
    found = []
    for (before, now), test, p_value in zip(pairs, tests, raised, strict=True):
        told = ColumnTest(
            name=test.name, statistic=test.statistic, p=test.p_value, adjusted_p=p_value
        )
        threshold = _threshold(now, limits, calibrated)
        found.append(_judged(before, now, test=told, threshold=threshold, limits=limits))
    return tuple(sorted(found, key=_rank))


def comparable(reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Whether both are of one kind and hold enough values, over the same bins."""
    alike = reference.column.kind is current.column.kind
    same_bins = len(reference.counts) == len(current.counts)
    return alike and same_bins and min(reference.present, current.present) >= FEWEST_VALUES


def _threshold(column: ColumnProfile, limits: Sensitivity, calibrated: Thresholds) -> float:
    """What chance explains, or the floor where that is more.

    Labels and predictions are what the model is for: of them a smaller move matters than of an
    input, provided that it is known what chance does.
    """
    by_chance = calibrated.get(column.column.name)
    if by_chance is None:
        return limits.psi
    outcome = column.column.role is not FeatureRole.FEATURE
    return max(min(limits.outcome_psi, limits.psi) if outcome else limits.psi, by_chance)


def _judged(
    reference: ColumnProfile,
    current: ColumnProfile,
    *,
    test: ColumnTest,
    threshold: float,
    limits: Sensitivity,
) -> Move:
    effects = effects_of(reference, current)
    drifted = effects.psi >= threshold and test.adjusted_p <= limits.p_value
    why = reason(
        effects, test, threshold=threshold, p_value=limits.p_value, sides=(reference, current)
    )
    change = format_change(reference, current) if drifted else ""
    return Move(reference, current, effects, test, threshold, drifted, why, change)


def _rank(move: Move) -> tuple[bool, float, str]:
    return (not move.drifted, -move.effects.psi, move.current.column.name)


def _feature_drift(move: Move) -> FeatureDrift:
    return FeatureDrift(
        name=move.current.column.name,
        kind=move.current.column.kind,
        role=move.current.column.role,
        **move.effects.model_dump(),
        test=move.test.name,
        statistic=move.test.statistic,
        p_value=move.test.adjusted_p,
        raw_p_value=move.test.p,
        threshold=move.threshold,
        why=move.why,
        change=move.change,
        null_fraction_reference=move.reference.null_fraction,
        null_fraction_current=move.current.null_fraction,
        mean_reference=move.reference.mean,
        mean_current=move.current.mean,
        drifted=move.drifted,
    )
