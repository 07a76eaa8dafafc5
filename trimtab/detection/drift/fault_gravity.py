"""Weighs the faults of features by what they can cost the model: a dead, worthless column is none.

A fault of a feature costs at most about what the model loses without the feature, on the share of
rows that it touches. Values far outside of the reference can cost more, because the model has not
learnt from any like them.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from trimtab.contracts.drift import FaultKind, QualityFault
from trimtab.detection.drift.quality_faults import MIN_GRAVITY

MIN_HARMFUL_TOLERANCES: Final = 0.5
"""Loss, in tolerances, that a fault must be able to cause to corrupt a window."""
EXTRAPOLATION_FACTOR: Final = 3.0
"""How many times a feature's importance values may cost that the model has seen none like."""
_EXTRAPOLATED_KINDS: Final[frozenset[FaultKind]] = frozenset(
    {"unit_change", "range", "default_value"}
)


def weigh_faults(
    faults: Iterable[QualityFault],
    importance: Mapping[str, float],
    *,
    tolerance: float,
    loss: float | None,
) -> tuple[QualityFault, ...]:
    """Return the faults with their gravity; those that can explain no loss corrupt no window.

    `importance` is the loss of the metric without each feature, and `loss` that of the window, or
    None if it is unknown. Faults of the target, of the whole window and of features of unknown
    importance are returned as they are.
    """
    return tuple(
        each
        if each.column is None or each.column not in importance
        else _weigh_fault(each, importance[each.column], tolerance=tolerance, loss=loss)
        for each in faults
    )


def _weigh_fault(
    fault: QualityFault, importance: float, *, tolerance: float, loss: float | None
) -> QualityFault:
    factor = EXTRAPOLATION_FACTOR if fault.kind in _EXTRAPOLATED_KINDS else 1.0
    cost = max(importance, 0.0) * fault.fraction * factor
    gravity = min(cost / max(loss or 0.0, tolerance), 1.0)
    matters = cost >= MIN_HARMFUL_TOLERANCES * tolerance and gravity >= MIN_GRAVITY
    return fault.model_copy(update={"gravity": gravity, "corrupt": fault.corrupt and matters})
