"""How much a drift is thought to hurt: by the metric that was lost, in tolerances.

The loss is the realised one, else the one expected without labels, else what the drifted columns
may cost at most; only where none of these is known it is by how far things moved. P-values have
no say. Only a measured loss is critical: what is merely expected may not come.
"""

from collections.abc import Sequence
from typing import Final

from trimtab.contracts.drift import (
    FeatureDrift,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Severity,
)

MEDIUM_LOSS: Final = 1.0
HIGH_LOSS: Final = 2.0
CRITICAL_LOSS: Final = 4.0
"""Loss of the metric in tolerances above which severity is medium, high, critical."""
SMALL_SHIFT: Final = 0.1
LARGE_SHIFT: Final = 0.5
"""PSI below which a shift of target or predictions that nobody knows the cost of is low (commonly
called stable: Siddiqi, 2006), and from which it is high; medium between."""


def severity_of(
    drifts: Sequence[FeatureDrift],
    *,
    performance: PerformanceChange | None,
    tolerance: float,
    corrupt: bool,
    estimate: PerformanceEstimate | None = None,
) -> Severity:
    """The severity; corrupt data is at least high.

    A loss beyond the tolerance that chance may explain counts as not known. `tolerance` is the
    loss of the metric that is still fine.
    """
    found = _by_knowledge(drifts, performance, estimate, tolerance)
    return max(found, Severity.HIGH, key=_rank) if corrupt else found


def _by_knowledge(
    drifts: Sequence[FeatureDrift],
    performance: PerformanceChange | None,
    estimate: PerformanceEstimate | None,
    tolerance: float,
) -> Severity:
    if performance is not None:
        loss = performance.reference - performance.current
        if loss <= tolerance or performance.degraded:
            return _by_loss(loss / tolerance)
    if estimate is not None:
        loss = estimate.reference - estimate.estimated
        if loss <= tolerance or estimate.degraded:
            return min(_by_loss(loss / tolerance), Severity.HIGH, key=_rank)
    return max((_by_column(each, tolerance) for each in drifts), key=_rank, default=Severity.LOW)


def _by_loss(tolerances: float) -> Severity:
    if tolerances > CRITICAL_LOSS:
        return Severity.CRITICAL
    if tolerances > HIGH_LOSS:
        return Severity.HIGH
    return Severity.MEDIUM if tolerances > MEDIUM_LOSS else Severity.LOW


def _by_column(drift: FeatureDrift, tolerance: float) -> Severity:
    """What one column may do: a feature by its impact where that is known."""
    if not drift.drifted:
        return Severity.LOW
    if drift.role is not FeatureRole.FEATURE:
        return _by_shift(drift.psi)
    if drift.impact is None:
        return Severity.MEDIUM
    return min(_by_loss(drift.impact / tolerance), Severity.HIGH, key=_rank)


def _by_shift(psi: float) -> Severity:
    if psi >= LARGE_SHIFT:
        return Severity.HIGH
    return Severity.MEDIUM if psi >= SMALL_SHIFT else Severity.LOW


def _rank(severity: Severity) -> int:
    return severity.rank
