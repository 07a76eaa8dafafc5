"""Writes the brief of a case for a step, and the request around it.

It is cut to what the step needs, because every call carries it again: of long statements and
documents, only the beginning is shown.
"""

import itertools
from collections.abc import Iterator
from typing import Final

from agents.brief import (
    Brief,
    CauseBrief,
    ColumnBrief,
    DocumentBrief,
    EvidenceBrief,
    FaultBrief,
    FindingBrief,
    ModelBrief,
    PlanBrief,
)
from agents.case import AgentStep, Case
from agents.fence import fence
from policies.citations import read_sign
from policies.judgement.figures import count_history_days
from policies.rollback import list_fit_targets
from trimtab.contracts.deliberation import RemediationPlan, RootCause
from trimtab.contracts.drift import FeatureDrift, FeatureRole
from trimtab.contracts.evidence import Document, EvidenceItem, EvidencePack, EvidenceSource
from trimtab.contracts.evidence_ids import build_document_id
from trimtab.contracts.model import ModelSpec

MAX_ITEMS: Final = 40
"""Number of evidence items that are shown; of columns, those that moved most."""
MAX_COLUMNS: Final = 10
"""Number of columns that are listed with their moves, the worst first; the target always is."""
MAX_STATEMENT_LENGTH: Final = 400
"""Characters of a statement that are shown."""
MAX_INSPECTED_LENGTH: Final = 900
"""Characters of a statement that are shown if a tool was asked for it."""
MAX_EXCERPT_LENGTH: Final = 280
"""Characters of a document that are shown."""

_REQUESTS: Final = {
    AgentStep.TRIAGE: "Your task: triage. Answer with one JSON object: severity, focus, question.",
    AgentStep.LOOK: (
        "Your task: look closer. Call the tools you need, several in one turn, at most four in "
        'all. Write "done" as soon as you need no further turn: beside your calls, or alone.'
    ),
    AgentStep.CAUSE: (
        "Your task: name the root cause. Answer with one JSON object: cause, hypotheses, "
        "citations, explanation, confidence (0 to 1)."
    ),
    AgentStep.PLAN: (
        "Your task: plan. Answer with one JSON object: action, target_version, options, "
        "citations, confidence (0 to 1)."
    ),
    AgentStep.REVIEW: (
        "Your task: review. Answer with one JSON object: agrees, concerns, summary, "
        "confidence (0 to 1)."
    ),
}


def format_request(case: Case, step: AgentStep) -> str:
    """Return the text that asks for a step: the case as data, followed by the task."""
    brief = build_brief(case, step)
    data = brief.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return f"The case:\n{fence(data)}\n{_REQUESTS[step]}"


def build_brief(case: Case, step: AgentStep) -> Brief:
    """Return the part of the case that is shown for a step."""
    return Brief(
        task=step,
        model=_brief_model(case.data.spec, case.data.pack),
        finding=_brief_finding(case),
        evidence=_brief_evidence(case),
        documents=_brief_documents(case, step),
        focus=case.triage.focus if case.triage else (),
        question=case.triage.question if case.triage else "",
        root_cause=_brief_cause(case.root_cause),
        plan=_brief_plan(case.plan),
    )


def _brief_model(spec: ModelSpec, pack: EvidencePack) -> ModelBrief:
    return ModelBrief(
        name=spec.name,
        task=spec.task,
        metric=spec.metric,
        tolerance=spec.tolerance,
        tier=spec.tier,
        target=spec.target,
        champion=pack.champion_version,
        rollback_targets=list_fit_targets(pack, margin=spec.promotion_margin),
        currency=spec.costs.currency,
        retraining_cost=float(spec.costs.retraining),
        rollback_cost=float(spec.costs.rollback),
        degradation_cost_per_day=float(spec.costs.degradation_per_day),
    )


def _brief_finding(case: Case) -> FindingBrief:
    found = case.data.event.data
    return FindingBrief(
        severity=found.severity,
        window=f"{found.current.start:%Y-%m-%d %H:%M} to {found.current.end:%Y-%m-%d %H:%M}",
        rows=found.current.rows,
        history_days=count_history_days(found, case.data.spec),
        moved=tuple(
            ColumnBrief(
                name=each.name, role=each.role, psi=round(each.psi, 4), drifted=each.drifted
            )
            for each in _select_worst_columns(found.features)
        ),
        faults=tuple(
            FaultBrief(
                kind=fault.kind,
                column=fault.column,
                fraction=round(fault.fraction, 4),
                corrupt=fault.corrupt,
                gravity=fault.gravity,
                segment=fault.segment,
            )
            for fault in found.quality[:MAX_COLUMNS]
        ),
        performance=found.performance,
        estimate=found.estimate,
        concept_loss=found.concept_loss,
        told_apart=found.multivariate.low if found.multivariate else None,
        inputs_drifted=found.multivariate.drifted if found.multivariate else None,
        signals=found.signals,
    )


def _select_worst_columns(features: tuple[FeatureDrift, ...]) -> list[FeatureDrift]:
    ranked = sorted(features, key=lambda feature: (not feature.drifted, -feature.psi))
    target = [each for each in ranked[MAX_COLUMNS:] if each.role is FeatureRole.TARGET]
    return ranked[:MAX_COLUMNS] + target


def _brief_evidence(case: Case) -> tuple[EvidenceBrief, ...]:
    collected = _select_items(case.data.pack.items)
    return (
        *(_brief_item(each, MAX_STATEMENT_LENGTH) for each in collected),
        *(_brief_item(each, MAX_INSPECTED_LENGTH) for each in case.inspected),
    )


def _select_items(items: tuple[EvidenceItem, ...]) -> Iterator[EvidenceItem]:
    """Yield as many items as may be shown, in their order; drop the least moved columns first."""
    columns = [item for item in items if item.source is EvidenceSource.DRIFT]
    room = max(0, MAX_ITEMS - (len(items) - len(columns)))
    kept = sorted(columns, key=lambda item: -(item.value or 0.0))[:room]
    shown = {item.id for item in kept}
    selected = (
        item for item in items if item.source is not EvidenceSource.DRIFT or item.id in shown
    )
    return itertools.islice(selected, MAX_ITEMS)


def _brief_item(item: EvidenceItem, length: int) -> EvidenceBrief:
    return EvidenceBrief(
        id=item.id,
        statement=item.statement[:length],
        value=item.value,
        version=item.version,
        sign=read_sign(item),
        inspected=item.source is EvidenceSource.INSPECTION,
    )


def _brief_documents(case: Case, step: AgentStep) -> tuple[DocumentBrief, ...]:
    """Return the documents, with text only if it bears on the step and no tool has read it yet."""
    read = {item.id for item in case.inspected}
    needs_text = step in {AgentStep.LOOK, AgentStep.CAUSE, AgentStep.PLAN}
    return tuple(
        _brief_document(
            document,
            MAX_EXCERPT_LENGTH if needs_text and build_document_id(document.id) not in read else 0,
        )
        for document in case.data.pack.documents
    )


def _brief_document(document: Document, length: int) -> DocumentBrief:
    return DocumentBrief(
        id=document.id,
        kind=document.kind,
        title=document.title,
        similarity=round(document.similarity, 3),
        cause=document.cause,
        action=document.action,
        succeeded=document.succeeded,
        origin=document.origin,
        excerpt=" ".join(document.text.split())[:length],
    )


def _brief_cause(root_cause: RootCause | None) -> CauseBrief | None:
    if root_cause is None:
        return None
    return CauseBrief(
        cause=root_cause.cause,
        also=root_cause.also,
        likelihoods={cause: round(value, 3) for cause, value in root_cause.hypotheses},
        explanation=root_cause.explanation,
        citations=tuple(citation.evidence_id for citation in root_cause.citations),
    )


def _brief_plan(plan: RemediationPlan | None) -> PlanBrief | None:
    if plan is None:
        return None
    chosen = next((option for option in plan.options if option.action is plan.action), None)
    return PlanBrief(
        action=plan.action,
        target_version=plan.target_version,
        rationale=chosen.rationale if chosen else "",
        citations=tuple(citation.evidence_id for citation in plan.citations),
    )
