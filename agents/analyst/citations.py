"""Selects the evidence items that support a cause or an action, and quotes them."""

from collections.abc import Sequence

from agents.analyst.figures import find_better_version, find_item
from agents.brief import Brief
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.evidence import Citation
from trimtab.contracts.evidence_ids import (
    ALL_INPUTS_ID,
    CHAMPION_PERFORMANCE_ID,
    CONCEPT_LOSS_ID,
    ESTIMATED_PERFORMANCE_ID,
    build_drift_id,
    build_metric_id,
    build_quality_id,
)

_MAX_QUOTE_LENGTH = 400
_MAX_CITATIONS = 5
_MAX_FAULTS = 3
_MAX_COLUMNS = 2


def cite_cause(brief: Brief, cause: Cause) -> list[Citation]:
    """Return quotes from the items that bear on a cause, the strongest first."""
    return _cite_items(brief, _list_items(brief, cause))


def list_moved_columns(brief: Brief) -> list[str]:
    """Return the columns that moved, the furthest first, without predictions."""
    return [each.name for each in brief.finding.moved if each.role is not FeatureRole.PREDICTION]


def _list_items(brief: Brief, cause: Cause) -> list[str]:
    if cause is Cause.DATA_QUALITY:
        return [*_list_fault_items(brief)[:_MAX_FAULTS], CHAMPION_PERFORMANCE_ID]
    if cause is Cause.BAD_RELEASE:
        return [*_list_version_items(brief), CHAMPION_PERFORMANCE_ID]
    columns = [build_drift_id(name) for name in list_moved_columns(brief)[:_MAX_COLUMNS]]
    inspected = [item.id for item in brief.evidence if item.inspected]
    return [
        CHAMPION_PERFORMANCE_ID,
        *_list_distinguishing_items(cause),
        *columns,
        *inspected[:1],
        *_list_version_items(brief)[:1],
    ]


def _list_distinguishing_items(cause: Cause) -> list[str]:
    """Return the items that distinguish covariate shift from concept drift."""
    if cause is Cause.CONCEPT_DRIFT:
        return [CONCEPT_LOSS_ID]
    if cause is Cause.COVARIATE_SHIFT:
        return [ESTIMATED_PERFORMANCE_ID, ALL_INPUTS_ID]
    return []


def _list_version_items(brief: Brief) -> list[str]:
    best = find_better_version(brief)
    names = [best.name] if best else []
    return [build_metric_id(name) for name in (*names, brief.model.champion) if name]


def _list_fault_items(brief: Brief) -> list[str]:
    ids = (build_quality_id(fault.kind, fault.column) for fault in brief.finding.faults)
    return list(dict.fromkeys(ids))


def _cite_items(brief: Brief, ids: Sequence[str]) -> list[Citation]:
    items = [find_item(brief, item_id) for item_id in dict.fromkeys(ids)]
    return [
        Citation(evidence_id=item.id, quote=item.statement[:_MAX_QUOTE_LENGTH])
        for item in items
        if item is not None and item.statement
    ][:_MAX_CITATIONS]
