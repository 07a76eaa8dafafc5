"""Rates faults of the data by the kind of cause that they are signs of."""

from collections.abc import Mapping
from typing import Final

from policies.judgement.figures import DataFault, Figures, saturate_sharply
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import FaultKind

_HALF_FAULTY_SHARE: Final = 0.05
"""Share of faulty rows that is worth one half."""
_FAMILIES: Final[dict[FaultKind, str]] = {
    "unit_change": "unit",
    "nulls": "missing",
    "default_value": "missing",
    "constant": "missing",
    "missing_column": "schema",
    "retyped_column": "schema",
    "renamed_category": "schema",
    "stale": "stale",
    "replayed": "stale",
    "duplicates": "stale",
    "no_rows": "stale",
    "outage": "outage",
    "few_rows": "outage",
    "unlearnable_labels": "labels",
    "flipped_labels": "labels",
    "late_labels": "labels",
    "range": "impossible",
}
"""Signal that each kind of fault is rated under; kinds that break no data are left out."""
_CAUSES: Final[dict[str, Cause]] = {
    "unit": Cause.UNIT_CHANGE,
    "missing": Cause.MISSING_VALUES,
    "schema": Cause.SCHEMA_CHANGE,
    "stale": Cause.STALE_DATA,
    "outage": Cause.PARTIAL_OUTAGE,
    "labels": Cause.BROKEN_LABELS,
    "impossible": Cause.DATA_QUALITY,
}
_LABELS: Final = "labels"
_LATE_WEIGHT: Final = 0.9
"""How far labels that come late speak for broken ones."""
_WEIGHTS: Final[Mapping[FaultKind, float]] = {"late_labels": _LATE_WEIGHT, "few_rows": 0.9}


def rate_fault_signals(figures: Figures, worse: float) -> dict[str, float]:
    """Return each family of faults with the rating of its gravest one, 0 without any.

    A fault that is known not to matter explains no loss: `worse` says how sure one is.
    """
    rated = dict.fromkeys(_FAMILIES.values(), 0.0)
    for fault in figures.faults:
        family = _find_family(fault, target=figures.target)
        if family:
            explains = 1.0 if fault.gravity is None else fault.gravity
            rating = rate_fault(fault) * (1.0 - worse * (1.0 - explains))
            rated[family] = max(rated[family], rating)
    return rated


def rate_fault(fault: DataFault) -> float:
    """Return how sure it is that a fault is one, and no accident of a few rows."""
    weight = _WEIGHTS.get(fault.kind, 1.0)
    affected = saturate_sharply(fault.fraction, half_at=_HALF_FAULTY_SHARE)
    return weight * (max(0.85 + 0.15 * fault.fraction, affected) if fault.corrupt else affected)


def find_family_cause(kind: FaultKind) -> Cause | None:
    """Return the cause that a kind of fault is the sign of; None for one that breaks no data."""
    family = _FAMILIES.get(kind)
    return _CAUSES[family] if family else None


def _find_family(fault: DataFault, *, target: str) -> str | None:
    family = _FAMILIES.get(fault.kind)
    return _LABELS if family and target and fault.column == target else family
