"""How much a drift is thought to hurt: by the metric that was lost, else by how far things moved.

Only a measured loss is critical: what moved without labels may be harmless.
"""

from collections.abc import Sequence
from typing import Final

from contracts.drift import FeatureDrift, FeatureRole, PerformanceChange, Severity

MEDIUM_LOSS: Final = 1.0
HIGH_LOSS: Final = 2.0
CRITICAL_LOSS: Final = 4.0
"""Loss of the metric in tolerances above which severity is medium, high, critical."""
LARGE_SHIFT: Final = 0.5
"""PSI above which an unlabelled shift of target or predictions is high."""


def severity_of(
    drifts: Sequence[FeatureDrift],
    *,
    performance: PerformanceChange | None,
    tolerance: float,
    corrupt: bool,
) -> Severity:
    """By lost performance where it is known, by effect sizes where not; corrupt is at least high.

    A loss beyond the tolerance that chance may explain counts as not known.

    `tolerance` is the loss of the metric that is still fine.
    """
    loss = None if performance is None else performance.reference - performance.current
    if performance is None or loss is None or (loss > tolerance and not performance.degraded):
        found = _by_effect(drifts)
    else:
        found = _by_loss(loss / tolerance)
    return max(found, Severity.HIGH, key=_rank) if corrupt else found


def _by_loss(tolerances: float) -> Severity:
    if tolerances > CRITICAL_LOSS:
        return Severity.CRITICAL
    if tolerances > HIGH_LOSS:
        return Severity.HIGH
    return Severity.MEDIUM if tolerances > MEDIUM_LOSS else Severity.LOW


def _by_effect(drifts: Sequence[FeatureDrift]) -> Severity:
    drifted = [each for each in drifts if each.drifted]
    felt = [each for each in drifted if each.role is not FeatureRole.FEATURE]
    if any(each.psi >= LARGE_SHIFT for each in felt):
        return Severity.HIGH
    return Severity.MEDIUM if drifted else Severity.LOW


def _rank(severity: Severity) -> int:
    return severity.rank
