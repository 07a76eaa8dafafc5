"""Rates the cost of drift for the champion: the loss by each drifted column, and whether it hurts.

A feature's importance is the loss of the metric if the feature's values are permuted among
held-out rows, so that they carry no information any more (permutation importance: Breiman, 2001;
for any model: Fisher, Rudin and Dominici, 2019). Drift does at most that to the share of rows that
it touches, unless the model errs worse outside of its training data than on noise. The impact of a
feature's drift is therefore its importance times the Jensen-Shannon distance, which is 0 if nothing
moved and 1 if no value occurs in both windows. It is a rough upper bound that ranks columns and
identifies harmless drift; the cost of all columns together is estimated by
`trimtab.detection.performance.performance_estimation`.
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
from trimtab.contracts.window_signals import SupportSplit

MIN_HARMFUL_SHARE: Final = 0.5
"""Share of the tolerance from which an impact counts as harmful."""
MIN_LABELLED_SHARE: Final = 0.9
"""Share of the rows whose labels must be known for the realised metric to speak for all rows."""
MIN_CONTRADICTING_SHARE: Final = 0.3
"""Share of the rows whose labels can contradict an estimate that is made without labels."""
ONE_SIDED_95_Z: Final = 1.645
"""Standard errors by which a loss must lie below the tolerance: 95 % confidence, one-sided."""


class PerformanceImpact(Record):
    """The knowledge about the cost of a window's drift, apart from its profile and labels."""

    importance: dict[Name, float] = Field(default_factory=dict)
    """Loss of the champion's metric without a feature; empty if it was not measured."""
    estimate: PerformanceEstimate | None = None
    multivariate: MultivariateDrift | None = None
    concept_loss: float | None = None
    support: SupportSplit | None = None
    """None if the metric is not worse, or the training rows are not stored."""


def add_impact(
    drifts: Sequence[FeatureDrift],
    impact: PerformanceImpact,
    *,
    performance: PerformanceChange | None,
) -> tuple[FeatureDrift, ...]:
    """Return the columns with importance and impact: drifted ones first, the costliest on top."""
    loss = compute_overall_loss(performance, impact.estimate)
    rated = [_rate_column_impact(drift, impact.importance, loss) for drift in drifts]
    return tuple(sorted(rated, key=_rank_column))


def compute_overall_loss(
    performance: PerformanceChange | None, estimate: PerformanceEstimate | None
) -> float | None:
    """Return the loss of the metric: realised if labels are known, else estimated, else None."""
    if performance is not None:
        return max(performance.reference - performance.current, 0.0)
    if estimate is not None:
        return max(estimate.reference - estimate.estimated, 0.0)
    return None


def is_harmful(finding: DriftFinding, *, tolerance: float) -> bool:
    """Return whether the drift costs at least half the tolerance, or its cost is unknown.

    A realised metric goes before any estimate: if it is surely within the tolerance, no drift is
    harmful.
    """
    performance, estimate = finding.performance, finding.estimate
    if performance and performance.degraded:
        return True
    if performance and _is_surely_tolerated(performance, finding.current.rows, tolerance):
        return False
    overruled = is_overruled(estimate, performance, rows=finding.current.rows)
    if estimate and estimate.degraded and not overruled:
        return True
    if any(_exceeds_harm_limit(each.impact, tolerance) for each in finding.drifted):
        return True
    rows_differ = finding.multivariate is not None and finding.multivariate.drifted
    loss = compute_overall_loss(performance, estimate)
    return rows_differ and _exceeds_harm_limit(loss, tolerance)


def is_overruled(
    estimate: PerformanceEstimate | None, performance: PerformanceChange | None, *, rows: int
) -> bool:
    """Return whether realised labels make an estimate without labels obsolete.

    They do if nearly all of the window's rows have one, or if those that have one show clearly less
    loss than estimated. A metric that degraded contradicts nothing.
    """
    if estimate is None or performance is None or performance.degraded:
        return False
    if performance.rows >= MIN_LABELLED_SHARE * rows:
        return True
    loss = performance.reference - performance.current
    expected = estimate.reference - estimate.estimated
    margin = ONE_SIDED_95_Z * (performance.error or 0.0)
    return performance.rows >= MIN_CONTRADICTING_SHARE * rows and loss + margin < expected


def _is_surely_tolerated(performance: PerformanceChange, rows: int, tolerance: float) -> bool:
    """Return whether nearly all labels are known and chance hides no loss beyond the tolerance."""
    if performance.error is None or performance.rows < MIN_LABELLED_SHARE * rows:
        return False
    loss = performance.reference - performance.current
    return loss + ONE_SIDED_95_Z * performance.error <= tolerance


def _rate_column_impact(
    drift: FeatureDrift, importance: Mapping[str, float], loss: float | None
) -> FeatureDrift:
    """Return the column with its importance and impact.

    Labels and predictions are not inputs: their impact is the overall loss. A column that has not
    drifted has no impact, because its distance is mostly chance.
    """
    weight, impact = importance.get(drift.name), loss
    if drift.role is FeatureRole.FEATURE:
        impact = None if weight is None else max(weight, 0.0) * drift.jensen_shannon
    if not drift.drifted:
        impact = 0.0
    return drift.model_copy(update={"importance": weight, "impact": impact})


def _rank_column(drift: FeatureDrift) -> tuple[bool, float, float, str]:
    """Return the sort key: drifted first, then by impact, an unknown one counting as infinite."""
    impact = float("inf") if drift.impact is None else drift.impact
    return (not drift.drifted, -impact, -drift.psi, drift.name)


def _exceeds_harm_limit(impact: float | None, tolerance: float) -> bool:
    return impact is None or impact >= MIN_HARMFUL_SHARE * tolerance
