"""Reads the figures of a brief that several rules need."""

from typing import NamedTuple

from agents.brief import Brief, EvidenceBrief, FaultBrief
from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.evidence_ids import build_metric_id

_HALF_FAULTY_SHARE = 0.05
"""Share of faulty rows that explains as much as it leaves open: gravity one half."""
_YEAR_DAYS = 365
"""Days after which most seasonal patterns have recurred."""

_FAULT_WEIGHTS: dict[str, float] = {"new_column": 0.0, "unseen_category": 0.25}
"""How far a kind of fault speaks for broken data, if less than fully: a column that no model reads
breaks nothing, and new categories may be real."""


class ScoredVersion(NamedTuple):
    """One version of the model, with its metric on the newest labelled rows."""

    name: str
    value: float


def find_item(brief: Brief, item_id: str) -> EvidenceBrief | None:
    """Return the evidence item with that id, or None."""
    return next((item for item in brief.evidence if item.id == item_id), None)


def find_better_version(brief: Brief) -> ScoredVersion | None:
    """Return the earlier version with the best metric, if it is better than the champion's.

    A later version was never champion: a better metric of it speaks for newer data, not for a
    rollback.
    """
    champion_number = _parse_version_number(brief.model.champion or "")
    earlier = [
        ScoredVersion(item.version, item.value)
        for item in brief.evidence
        if item.version is not None
        and item.value is not None
        and _parse_version_number(item.version) < champion_number
    ]
    champion = get_champion_metric(brief)
    best = max(earlier, key=lambda version: version.value, default=None)
    if best is None or champion is None or best.value <= champion:
        return None
    return best


def get_champion_metric(brief: Brief) -> float | None:
    """Return the champion's metric on the newest rows, or None if it was not measured."""
    measured = find_item(brief, build_metric_id(brief.model.champion or ""))
    if measured is not None and measured.value is not None:
        return measured.value
    return brief.finding.performance.current if brief.finding.performance else None


def compute_loss(brief: Brief) -> float | None:
    """Return the loss of the metric in multiples of the tolerance; None without labels."""
    performance = brief.finding.performance
    if performance is None or performance.rows == 0:
        return None
    return (performance.reference - performance.current) / brief.model.tolerance


def compute_largest_psi(brief: Brief, role: FeatureRole) -> float:
    """Return the largest PSI among the columns of a role."""
    return max((each.psi for each in brief.finding.moved if each.role is role), default=0.0)


def compute_unseen_season(brief: Brief) -> float:
    """Return the share of a year that the champion has not seen, 0 to 1; 0 if unknown."""
    days = brief.finding.history_days
    return 0.0 if days is None else min(1.0, max(0.0, 1.0 - days / _YEAR_DAYS))


def compute_gravity(fault: FaultBrief) -> float:
    """Return how far a fault explains a loss, 0 to 1.

    A corrupting fault outweighs what follows from it; others count by the rows that they affect.
    """
    weight = _FAULT_WEIGHTS.get(fault.kind, 1.0)
    affected = weight * saturate(fault.fraction, half_at=_HALF_FAULTY_SHARE)
    return max(0.7 + 0.3 * fault.fraction, affected) if fault.corrupt else affected


def saturate(value: float, *, half_at: float) -> float:
    """Map a value of 0 or more to 0 up to 1: one half at `half_at`, and close to 1 far beyond."""
    return value / (value + half_at) if value > 0.0 else 0.0


def _parse_version_number(version: str) -> int:
    """Return the version's number, by which registries order them; 0 if it is no number."""
    return int(version) if version.isdecimal() else 0
