"""Rates the severity of a drift by the loss of the metric, in tolerances.

The loss is the realised one, else the one estimated without labels, else the most that the drifted
columns may cost; only if none of these is known does the size of the changes count. P-values have
no influence. Only a realised loss is critical, because an estimated one may not come true.
"""

from collections.abc import Sequence
from typing import Final

from trimtab.contracts.drift import (
    FeatureDrift,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Severity,
    rate_loss,
)

MEDIUM_PSI: Final = 0.1
"""Population stability index from which a shift of target or predictions with unknown cost is
medium; a smaller one is commonly called stable (Siddiqi, 2006)."""
HIGH_PSI: Final = 0.5
"""Population stability index from which such a shift is high."""


def compute_severity(
    drifts: Sequence[FeatureDrift],
    *,
    performance: PerformanceChange | None,
    tolerance: float,
    corrupt: bool,
    estimate: PerformanceEstimate | None = None,
) -> Severity:
    """Return the severity; corrupt data is at least high.

    `tolerance` is the largest loss of the metric that is acceptable. A loss beyond it that chance
    may explain counts as unknown.
    """
    severity = _rate_known_loss(drifts, performance, estimate, tolerance)
    return max(severity, Severity.HIGH, key=_get_rank) if corrupt else severity


def _rate_known_loss(
    drifts: Sequence[FeatureDrift],
    performance: PerformanceChange | None,
    estimate: PerformanceEstimate | None,
    tolerance: float,
) -> Severity:
    if performance is not None:
        loss = performance.reference - performance.current
        if loss <= tolerance or performance.degraded:
            return rate_loss(loss / tolerance)
    if estimate is not None:
        loss = estimate.reference - estimate.estimated
        if loss <= tolerance or estimate.degraded:
            return min(rate_loss(loss / tolerance), Severity.HIGH, key=_get_rank)
    ratings = (_rate_column(each, tolerance) for each in drifts)
    return max(ratings, key=_get_rank, default=Severity.LOW)


def _rate_column(drift: FeatureDrift, tolerance: float) -> Severity:
    """Rate one column: a feature by its impact if that is known."""
    if not drift.drifted:
        return Severity.LOW
    if drift.role is not FeatureRole.FEATURE:
        return _rate_shift(drift.psi)
    if drift.impact is None:
        return Severity.MEDIUM
    return min(rate_loss(drift.impact / tolerance), Severity.HIGH, key=_get_rank)


def _rate_shift(psi: float) -> Severity:
    if psi >= HIGH_PSI:
        return Severity.HIGH
    return Severity.MEDIUM if psi >= MEDIUM_PSI else Severity.LOW


def _get_rank(severity: Severity) -> int:
    return severity.rank
