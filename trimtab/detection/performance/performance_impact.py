"""What drift costs the champion: its loss by each column that moved, and what is worth a word.

A feature's importance is what the metric loses when the feature's values are dealt out anew among
held-out rows, so that they say nothing any more (permutation importance: Breiman, 2001; for any
model: Fisher, Rudin and Dominici, 2019). Drift does at most that to the share of the rows that it
touches, wherever the model does not err worse outside of what it has seen than on noise: the
impact of a feature's drift is its importance times the Jensen-Shannon distance, which is 0 where
nothing moved and 1 where no value occurs in both windows. It is a rough upper bound, to rank
columns by and to tell the harmless from the rest; what all of them together cost is estimated by
`detection.expectation`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import Field

from trimtab.contracts.base import Name, Record
from trimtab.contracts.drift import (
    DriftFinding,
    FeatureDrift,
    FeatureRole,
    MultivariateDrift,
    PerformanceChange,
    PerformanceEstimate,
)

HARMFUL: Final = 0.5
"""Share of the tolerance from which an impact counts as harm."""
COMPLETE: Final = 0.9
"""Share of the rows whose labels must be known for the realised metric to speak for all."""
SURE: Final = 1.645
"""Standard errors by which a loss must lie below the tolerance: 95 %, one-sided."""


class Harm(Record):
    """What is known of a window beside its profile and its labels."""

    importance: dict[Name, float] = Field(default_factory=dict)
    """What the champion's metric loses without a feature; empty where that was not measured."""
    estimate: PerformanceEstimate | None = None
    multivariate: MultivariateDrift | None = None
    concept_loss: float | None = None


def with_impact(
    drifts: Sequence[FeatureDrift], harm: Harm, *, performance: PerformanceChange | None
) -> tuple[FeatureDrift, ...]:
    """The columns with importance and impact: the drifted first, the costliest of them first."""
    known = [_weighed(drift, harm.importance, overall_loss(performance, harm.estimate))
             for drift in drifts]  # fmt: skip
    return tuple(sorted(known, key=_rank))


def overall_loss(
    performance: PerformanceChange | None, estimate: PerformanceEstimate | None
) -> float | None:
    """What the metric lost: realised where labels have come, else estimated, else unknown."""
    if performance is not None:
        return max(performance.reference - performance.current, 0.0)
    if estimate is not None:
        return max(estimate.reference - estimate.estimated, 0.0)
    return None


def is_harmful(finding: DriftFinding, *, tolerance: float) -> bool:
    """Whether what moved costs as much as half the tolerance, or nobody knows what it costs.

    What was realised goes before any estimate: where it is surely fine, nothing hurts.
    """
    performance, estimate = finding.performance, finding.estimate
    if performance and performance.degraded:
        return True
    if performance and _surely_fine(performance, finding.current.rows, tolerance):
        return False
    if estimate and estimate.degraded:
        return True
    if any(_hurts(each.impact, tolerance) for each in finding.drifted):
        return True
    apart = finding.multivariate is not None and finding.multivariate.drifted
    return apart and _hurts(overall_loss(performance, estimate), tolerance)


def _surely_fine(performance: PerformanceChange, rows: int, tolerance: float) -> bool:
    """Whether the labels of nearly all rows are known, and chance hides no loss that counts."""
    if performance.error is None or performance.rows < COMPLETE * rows:
        return False
    loss = performance.reference - performance.current
    return loss + SURE * performance.error <= tolerance


def _weighed(
    drift: FeatureDrift, importance: Mapping[str, float], loss: float | None
) -> FeatureDrift:
    """Labels and predictions are no inputs: with them goes what the metric lost as a whole.

    What has not drifted costs nothing: its distance is mostly chance.
    """
    weight, impact = importance.get(drift.name), loss
    if drift.role is FeatureRole.FEATURE:
        impact = None if weight is None else max(weight, 0.0) * drift.jensen_shannon
    if not drift.drifted:
        impact = 0.0
    return drift.model_copy(update={"importance": weight, "impact": impact})


def _rank(drift: FeatureDrift) -> tuple[bool, float, float, str]:
    impact = float("inf") if drift.impact is None else drift.impact
    return (not drift.drifted, -impact, -drift.psi, drift.name)


def _hurts(impact: float | None, tolerance: float) -> bool:
    return impact is None or impact >= HARMFUL * tolerance
