"""Selects the evidence items that support a cause or an action, and quotes them.

Only items that speak for the cause are quoted: `policies.citations` says which these are.
"""

from collections.abc import Iterator, Sequence

from agents.analyst.brief_figures import find_item, read_figures
from agents.brief import Brief, ColumnBrief
from policies.citations import (
    has_moved,
    list_causes_of_fault,
    list_causes_of_move,
    list_causes_of_sign,
)
from policies.judgement.faults import find_family_cause
from policies.judgement.figures import find_better_version, find_rollback_target
from trimtab.contracts.deliberation import DATA_CAUSES, Cause
from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.evidence import Citation
from trimtab.contracts.evidence_ids import (
    ALL_INPUTS_ID,
    CHAMPION_PERFORMANCE_ID,
    CONCEPT_LOSS_ID,
    ESTIMATED_PERFORMANCE_ID,
    build_column_id,
    build_drift_id,
    build_metric_id,
    build_quality_id,
)

_MAX_QUOTE_LENGTH = 400
_MAX_CITATIONS = 5
_MAX_FAULTS = 3
_MAX_COLUMNS = 2


def quote_support(brief: Brief, cause: Cause) -> list[Citation]:
    """Return quotes from the items that speak for a cause, the strongest first."""
    return _cite_items(brief, [*_list_items(brief, cause)])


def list_moved_columns(brief: Brief) -> list[str]:
    """Return the columns that moved, the furthest first, without predictions."""
    return [each.name for each in brief.finding.moved if each.role is not FeatureRole.PREDICTION]


def _list_items(brief: Brief, cause: Cause) -> Iterator[str]:
    yield from _list_fault_items(brief, cause)[:_MAX_FAULTS]
    if cause is Cause.BAD_RELEASE:
        yield from _list_version_items(brief)
    yield from _list_performance_items(brief, cause)
    columns = _select_columns(brief, cause)[:_MAX_COLUMNS]
    yield from (build_drift_id(name) for name in columns)
    inspected = {item.id for item in brief.evidence if item.inspected}
    yield from (build_column_id(name) for name in columns if build_column_id(name) in inspected)


def _list_performance_items(brief: Brief, cause: Cause) -> Iterator[str]:
    """Yield the items on the metric, and on the inputs taken together, that speak for a cause."""
    found = brief.finding
    signs = {
        CHAMPION_PERFORMANCE_ID: found.performance.degraded if found.performance else None,
        ESTIMATED_PERFORMANCE_ID: found.estimate.degraded if found.estimate else None,
        CONCEPT_LOSS_ID: found.concept_loss > 0.0 if found.concept_loss is not None else None,
        ALL_INPUTS_ID: found.inputs_drifted,
    }
    measured = {item.id: item.sign for item in brief.evidence if item.sign is not None}
    for item_id, sign in {**measured, **signs}.items():
        if sign is not None and cause in list_causes_of_sign(item_id, found=sign):
            yield item_id


def _select_columns(brief: Brief, cause: Cause) -> list[str]:
    if cause in DATA_CAUSES - {Cause.BROKEN_LABELS}:
        faulty = {fault.column for fault in brief.finding.faults}
        return [
            each.name for each in brief.finding.moved if _is_moved(each) and each.name in faulty
        ]
    return [
        each.name
        for each in brief.finding.moved
        if cause in list_causes_of_move(each.role, moved=_is_moved(each))
    ]


def _is_moved(column: ColumnBrief) -> bool:
    return has_moved(drifted=column.drifted, psi=column.psi)


def _list_version_items(brief: Brief) -> list[str]:
    figures = read_figures(brief)
    best = find_rollback_target(figures) or find_better_version(figures)
    names = [best.name, brief.model.champion] if best else []
    return [build_metric_id(name) for name in names if name]


def _list_fault_items(brief: Brief, cause: Cause) -> list[str]:
    """Return the faults that speak for a cause, those of its own kind first."""
    speaking = [each for each in brief.finding.faults if cause in list_causes_of_fault(each.kind)]
    speaking.sort(key=lambda each: find_family_cause(each.kind) is not cause)
    return list(dict.fromkeys(build_quality_id(each.kind, each.column) for each in speaking))


def _cite_items(brief: Brief, ids: Sequence[str]) -> list[Citation]:
    items = [find_item(brief, item_id) for item_id in dict.fromkeys(ids)]
    return [
        Citation(evidence_id=item.id, quote=item.statement[:_MAX_QUOTE_LENGTH])
        for item in items
        if item is not None and item.statement
    ][:_MAX_CITATIONS]
