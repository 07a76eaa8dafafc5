"""Writes the brief of a case for a task, and the request around it.

It is cut to what the task needs, because every call carries it again: long statements and
documents are shown by their beginnings.
"""

import itertools
from collections.abc import Iterator

from agents.brief import (
    Brief,
    CauseFound,
    Excerpt,
    Fault,
    Finding,
    Item,
    Model,
    Moved,
    PlanProposed,
)
from agents.case import Case, Task
from agents.fence import fence
from trimtab.contracts.deliberation import RemediationPlan, RootCause
from trimtab.contracts.drift import DriftFinding, FeatureDrift, FeatureRole
from trimtab.contracts.evidence import Document, EvidenceItem, EvidenceSource
from trimtab.contracts.evidence_ids import build_document_id
from trimtab.contracts.model import ModelSpec, ReferencePeriod

MOST_ITEMS = 40
"""Evidence items shown; of columns, those that moved most."""
MOST_MOVED = 10
"""Columns listed with how far they moved, worst first; the target always."""
STATEMENT_LENGTH = 400
LOOKED_UP_LENGTH = 900
"""Of what was asked for by a tool more is shown."""
EXCERPT_LENGTH = 280


def request(case: Case, task: Task) -> str:
    """The text that asks for a task: the case as data, and then what is wanted."""
    data = brief(case, task).model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return f"The case:\n{fence(data)}\n{_ASKED[task]}"


def brief(case: Case, task: Task) -> Brief:
    """What is shown of the case for a task."""
    return Brief(
        task=task,
        model=_model(case.data.spec, case.data.pack.champion_version),
        finding=_finding(case),
        evidence=_items(case),
        documents=_excerpts(case, task),
        focus=case.triage.focus if case.triage else (),
        question=case.triage.question if case.triage else "",
        root_cause=_cause(case.root_cause),
        plan=_plan(case.plan),
    )


_ASKED = {
    Task.TRIAGE: "Your task: triage. Answer with one JSON object: severity, focus, question.",
    Task.LOOK: (
        "Your task: look closer. Call the tools you need, several in one turn, at most four in "
        'all. Write "done" as soon as you need no further turn: beside your calls, or alone.'
    ),
    Task.CAUSE: (
        "Your task: name the root cause. Answer with one JSON object: cause, hypotheses, "
        "citations, explanation, confidence (0 to 1)."
    ),
    Task.PLAN: (
        "Your task: plan. Answer with one JSON object: action, target_version, options, "
        "citations, confidence (0 to 1)."
    ),
    Task.REVIEW: (
        "Your task: review. Answer with one JSON object: agrees, concerns, summary, "
        "confidence (0 to 1)."
    ),
}


def _model(spec: ModelSpec, champion: str | None) -> Model:
    return Model(
        name=spec.name,
        task=spec.task,
        metric=spec.metric,
        tolerance=spec.tolerance,
        tier=spec.tier,
        target=spec.target,
        champion=champion,
        currency=spec.costs.currency,
        retraining_cost=float(spec.costs.retraining),
        rollback_cost=float(spec.costs.rollback),
        degradation_cost_per_day=float(spec.costs.degradation_per_day),
    )


def _finding(case: Case) -> Finding:
    found = case.data.event.data
    return Finding(
        severity=found.severity,
        window=f"{found.current.start:%Y-%m-%d %H:%M} to {found.current.end:%Y-%m-%d %H:%M}",
        rows=found.current.rows,
        history_days=_history_days(found, case.data.spec),
        moved=tuple(
            Moved(name=each.name, role=each.role, psi=round(each.psi, 4), drifted=each.drifted)
            for each in _worst_first(found.features)
        ),
        faults=tuple(
            Fault(
                kind=fault.kind,
                column=fault.column,
                fraction=round(fault.fraction, 4),
                corrupt=fault.corrupt,
            )
            for fault in found.quality[:MOST_MOVED]
        ),
        performance=found.performance,
        estimate=found.estimate,
        concept_loss=found.concept_loss,
        told_apart=found.multivariate.low if found.multivariate else None,
    )


def _history_days(found: DriftFinding, spec: ModelSpec) -> int | None:
    if spec.reference is not ReferencePeriod.TRAINING:
        return None
    return (found.current.end - found.reference.start).days


def _worst_first(features: tuple[FeatureDrift, ...]) -> list[FeatureDrift]:
    ranked = sorted(features, key=lambda feature: (not feature.drifted, -feature.psi))
    target = [each for each in ranked[MOST_MOVED:] if each.role is FeatureRole.TARGET]
    return ranked[:MOST_MOVED] + target


def _items(case: Case) -> tuple[Item, ...]:
    collected = (_item(each, STATEMENT_LENGTH) for each in _most_telling(case.data.pack.items))
    looked_up = (_item(each, LOOKED_UP_LENGTH) for each in case.inspected)
    return (*collected, *looked_up)


def _most_telling(items: tuple[EvidenceItem, ...]) -> Iterator[EvidenceItem]:
    """As many as may be shown, in their order: columns give way to all else."""
    columns = [item for item in items if item.source is EvidenceSource.DRIFT]
    room = max(0, MOST_ITEMS - (len(items) - len(columns)))
    kept = sorted(columns, key=lambda item: -(item.value or 0.0))[:room]
    shown = {item.id for item in kept}
    telling = (item for item in items if item not in columns or item.id in shown)
    return itertools.islice(telling, MOST_ITEMS)


def _item(item: EvidenceItem, length: int) -> Item:
    return Item(
        id=item.id,
        statement=item.statement[:length],
        value=item.value,
        version=item.version,
        inspected=item.source is EvidenceSource.INSPECTION,
    )


def _excerpts(case: Case, task: Task) -> tuple[Excerpt, ...]:
    """Return the documents, with text only if it bears on the task and no tool has read it yet."""
    read = {item.id for item in case.inspected}
    needs_text = task in {Task.LOOK, Task.CAUSE, Task.PLAN}
    return tuple(
        _excerpt(
            document,
            EXCERPT_LENGTH if needs_text and build_document_id(document.id) not in read else 0,
        )
        for document in case.data.pack.documents
    )


def _excerpt(document: Document, length: int) -> Excerpt:
    return Excerpt(
        id=document.id,
        kind=document.kind,
        title=document.title,
        similarity=round(document.similarity, 3),
        cause=document.cause,
        action=document.action,
        succeeded=document.succeeded,
        excerpt=" ".join(document.text.split())[:length],
    )


def _cause(root_cause: RootCause | None) -> CauseFound | None:
    if root_cause is None:
        return None
    return CauseFound(
        cause=root_cause.cause,
        likelihoods={cause: round(value, 3) for cause, value in root_cause.hypotheses},
        explanation=root_cause.explanation,
        citations=tuple(citation.evidence_id for citation in root_cause.citations),
    )


def _plan(plan: RemediationPlan | None) -> PlanProposed | None:
    if plan is None:
        return None
    chosen = next((option for option in plan.options if option.action is plan.action), None)
    return PlanProposed(
        action=plan.action,
        target_version=plan.target_version,
        rationale=chosen.rationale if chosen else "",
        citations=tuple(citation.evidence_id for citation in plan.citations),
    )
