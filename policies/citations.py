"""Says which evidence items speak for a cause: they bear on it, and their figures have its sign.

A quote of any other item supports nothing, however faithfully it is copied.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.rollback import parse_version_number
from trimtab.contracts import evidence_ids
from trimtab.contracts.deliberation import DATA_CAUSES, Cause, RemediationPlan, RootCause
from trimtab.contracts.drift import FaultKind, FeatureRole
from trimtab.contracts.evidence import EvidenceItem, EvidenceSource

LARGE_PSI: Final = 0.2
"""PSI from which a column has moved, also if its own threshold is higher: commonly called large."""
HARMLESS_FAULTS: Final = frozenset({"new_column"})
"""Kinds of faults that break no data."""

_SOUND_LOSSES: Final = frozenset(
    {
        Cause.COVARIATE_SHIFT,
        Cause.NEW_SEGMENT,
        Cause.LABEL_SHIFT,
        Cause.CONCEPT_DRIFT,
        Cause.SEASONALITY,
        Cause.BAD_RELEASE,
        Cause.NO_SKILL,
    }
)
_QUIET: Final = frozenset({Cause.HARMLESS, Cause.DETECTOR_ARTEFACT, Cause.UNKNOWN})
_SHIFTS: Final = frozenset({Cause.COVARIATE_SHIFT, Cause.NEW_SEGMENT, Cause.SEASONALITY})
_SAME_INPUTS: Final = frozenset(
    {
        Cause.CONCEPT_DRIFT,
        Cause.LABEL_SHIFT,
        Cause.BROKEN_LABELS,
        Cause.HARMLESS,
    }
)
_NOBODY: Final[frozenset[Cause]] = frozenset()
_BY_SIGN: Final[dict[str, tuple[frozenset[Cause], frozenset[Cause]]]] = {
    evidence_ids.CHAMPION_PERFORMANCE_ID: (_SOUND_LOSSES | DATA_CAUSES, _QUIET | DATA_CAUSES),
    evidence_ids.ESTIMATED_PERFORMANCE_ID: (
        _SHIFTS | DATA_CAUSES,
        frozenset({Cause.HARMLESS, Cause.CONCEPT_DRIFT, Cause.BROKEN_LABELS}),
    ),
    evidence_ids.CONCEPT_LOSS_ID: (
        frozenset({Cause.CONCEPT_DRIFT, Cause.BROKEN_LABELS, Cause.BAD_RELEASE}),
        _SHIFTS | {Cause.LABEL_SHIFT, Cause.HARMLESS},
    ),
    evidence_ids.ALL_INPUTS_ID: (_SHIFTS | _QUIET, _SAME_INPUTS),
    evidence_ids.LEARNABILITY_ID: (
        frozenset({Cause.BROKEN_LABELS, Cause.NO_SKILL}),
        _SOUND_LOSSES - {Cause.NO_SKILL},
    ),
    evidence_ids.SUPPORT_ID: (
        frozenset({Cause.CONCEPT_DRIFT, Cause.BROKEN_LABELS, Cause.BAD_RELEASE}),
        _SHIFTS | {Cause.HARMLESS},
    ),
    evidence_ids.CHALLENGER_ID: (_SOUND_LOSSES, _QUIET | {Cause.BROKEN_LABELS}),
    evidence_ids.SEASON_ID: (frozenset({Cause.SEASONALITY}), _NOBODY),
    evidence_ids.SKILL_ID: (frozenset({Cause.NO_SKILL}), _NOBODY),
    evidence_ids.NEW_CATEGORIES_ID: (
        frozenset({Cause.NEW_SEGMENT, Cause.SCHEMA_CHANGE, Cause.COVARIATE_SHIFT}),
        _NOBODY,
    ),
}
"""Causes that an item speaks for if it found a loss or a drift, and if it found none."""
_DRIFT_SIGNS: Final = frozenset(
    {evidence_ids.ALL_INPUTS_ID, evidence_ids.SEASON_ID, evidence_ids.NEW_CATEGORIES_ID}
)
"""Items whose sign is a drift, and not a loss."""
_BY_ROLE: Final[dict[FeatureRole, tuple[frozenset[Cause], frozenset[Cause]]]] = {
    FeatureRole.FEATURE: (_SHIFTS | _QUIET, _SAME_INPUTS),
    FeatureRole.TARGET: (
        frozenset({Cause.LABEL_SHIFT, Cause.SEASONALITY, Cause.BROKEN_LABELS}) | _QUIET,
        frozenset({Cause.CONCEPT_DRIFT, Cause.COVARIATE_SHIFT, Cause.NEW_SEGMENT, Cause.HARMLESS}),
    ),
    FeatureRole.PREDICTION: (_NOBODY, _NOBODY),
}
"""Causes that a column speaks for if it moved, and if it did not."""
_BY_FAULT: Final[dict[FaultKind, frozenset[Cause]]] = {
    "unseen_category": frozenset({Cause.NEW_SEGMENT, Cause.SCHEMA_CHANGE, Cause.DATA_QUALITY}),
    "few_rows": DATA_CAUSES | {Cause.DETECTOR_ARTEFACT},
}
"""Causes that a fault speaks for, where these are not all kinds of broken data."""


class Claim(NamedTuple):
    """What quotes are to support: a cause, and for a rollback its target."""

    cause: Cause
    champion: str | None
    target: str | None = None
    """The version to return to; None if no version was named yet."""


def build_cause_claim(root_cause: RootCause, *, champion: str | None) -> Claim:
    """Return the investigator's claim."""
    return Claim(root_cause.cause, champion)


def build_plan_claim(plan: RemediationPlan, *, champion: str | None) -> Claim:
    """Return the strategist's claim."""
    return Claim(plan.cause, champion, plan.target_version)


def list_supporting_ids(items: Sequence[EvidenceItem], claim: Claim) -> frozenset[str]:
    """Return the ids of the items that speak for a claim."""
    return frozenset(item.id for item in items if _supports(item, claim, items))


def has_moved(*, drifted: bool, psi: float) -> bool:
    """Return whether a column moved, by its own threshold or by a PSI that is large anywhere."""
    return drifted or psi >= LARGE_PSI


def list_causes_of_sign(item_id: str, *, found: bool) -> frozenset[Cause]:
    """Return the causes that an item on the metric or on all inputs speaks for.

    Args:
        item_id: Id of the item.
        found: Whether it found a loss or a drift.
    """
    return _BY_SIGN[item_id][0 if found else 1]


def list_causes_of_move(role: FeatureRole, *, moved: bool) -> frozenset[Cause]:
    """Return the causes that a column of a role speaks for."""
    return _BY_ROLE[role][0 if moved else 1]


def list_causes_of_fault(kind: FaultKind) -> frozenset[Cause]:
    """Return the causes that a fault of a kind speaks for."""
    if kind in HARMLESS_FAULTS:
        return frozenset()
    return _BY_FAULT.get(kind, DATA_CAUSES)


def _supports(item: EvidenceItem, claim: Claim, items: Sequence[EvidenceItem]) -> bool:
    if item.id in _BY_SIGN:
        found = read_sign(item)
        return found is not None and claim.cause in list_causes_of_sign(item.id, found=found)
    if item.fault is not None:
        return claim.cause in list_causes_of_fault(item.fault)
    if _is_metric(item):
        return claim.cause is Cause.BAD_RELEASE and _supports_bad_release(item, claim, items)
    if item.source is EvidenceSource.INSPECTION:
        measured = (each for each in items if each.role and each.column == item.column)
        return any(_supports_by_column(each, claim, items) for each in measured)
    return _supports_by_column(item, claim, items)


def read_sign(item: EvidenceItem) -> bool | None:
    """Return whether an item found a loss or a drift; None if it does not judge that."""
    if item.id not in _BY_SIGN:
        return None
    if item.id == evidence_ids.CONCEPT_LOSS_ID:
        return None if item.value is None else item.value > 0.0
    return item.drifted if item.id in _DRIFT_SIGNS else item.degraded


def _supports_by_column(item: EvidenceItem, claim: Claim, items: Sequence[EvidenceItem]) -> bool:
    if item.role is None or item.drifted is None:
        return False
    moved = has_moved(drifted=item.drifted, psi=item.value or 0.0)
    if claim.cause in DATA_CAUSES - {Cause.BROKEN_LABELS}:
        return moved and any(each.fault and each.column == item.column for each in items)
    return claim.cause in list_causes_of_move(item.role, moved=moved)


def _supports_bad_release(item: EvidenceItem, claim: Claim, items: Sequence[EvidenceItem]) -> bool:
    """Return whether a version's metric shows that an earlier version, or the target, is better."""
    metrics = {each.version: each.value for each in items if _is_metric(each)}
    champion = metrics.get(claim.champion)
    if champion is None:
        return False
    number = parse_version_number(claim.champion or "")
    better = {
        version
        for version, value in metrics.items()
        if version is not None
        and value is not None
        and value > champion
        and parse_version_number(version) < number
        and claim.target in (None, version)
    }
    return item.version in better or (item.version == claim.champion and bool(better))


def _is_metric(item: EvidenceItem) -> bool:
    version = item.version
    return version is not None and item.id == evidence_ids.build_metric_id(version)
