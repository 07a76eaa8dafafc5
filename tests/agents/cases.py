"""Cases with good defaults: what the agents are started with, and what they may answer."""

from typing import Any

from agents.analyst.brief_figures import read_figures
from agents.brief import Brief
from agents.briefing import build_brief
from agents.case import AgentStep, Case
from policies.judgement.figures import Figures
from tests.builders import a_pack, a_spec, an_event, good_citations
from trimtab.contracts.deliberation import (
    Cause,
    DeliberationInput,
    Hypothesis,
    OptionReply,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.drift import PerformanceChange, Severity
from trimtab.contracts.evidence import (
    Citation,
    Document,
    DocumentKind,
    EvidenceItem,
    EvidencePack,
    EvidenceSource,
)
from trimtab.contracts.remediation import Action

_ADVICE = (
    "When the target's own distribution moves, compare the months first, then retrain on the "
    "newest labelled weeks and let the challenger prove itself on rows it has not seen. "
)


def a_document(document_id: str = "runbook/label-shift", **changes: Any) -> Document:
    fields: dict[str, Any] = {
        "id": document_id,
        "kind": DocumentKind.RUNBOOK,
        "title": "The target moved",
        "text": _ADVICE * 4,
        "similarity": 0.62,
        "cause": "label_shift",
        "action": "retrain",
    }
    return Document(**{**fields, **changes})


def some_documents() -> tuple[Document, ...]:
    return (
        a_document(),
        a_document("incident/2025-12-24", kind=DocumentKind.INCIDENT, similarity=0.55,
                   cause="seasonality", succeeded=True),
        a_document("runbook/covariate-shift", similarity=0.5, cause="covariate_shift"),
        a_document("runbook/bad-release", similarity=0.44, cause="bad_release",
                   action="roll_back"),
        a_document("runbook/data-quality", similarity=0.4, cause="data_quality",
                   action="monitor"),
    )  # fmt: skip


def version_metric(version: str, value: float) -> EvidenceItem:
    return EvidenceItem(
        id=f"metric:version-{version}",
        source=EvidenceSource.PERFORMANCE,
        statement=f"Version {version} reaches r2 {value:.3f} on the newest labelled rows.",
        value=value,
        version=version,
    )


def full_pack(*more: EvidenceItem, **changes: Any) -> EvidencePack:
    registry = EvidenceItem(
        id="registry:champion",
        source=EvidenceSource.REGISTRY,
        statement="The champion is version 1, trained on 12000 rows.",
    )
    items = (*a_pack().items, version_metric("1", 0.78), registry, *more)
    return a_pack(**{"items": items, "documents": some_documents(), **changes})


def a_start(analyst: str = "analyst/rules", **changes: Any) -> DeliberationInput:
    """`pack`, `spec` and `event` as such; everything else changes the finding."""
    return DeliberationInput(
        pack=changes.pop("pack", full_pack()),
        spec=changes.pop("spec", a_spec()),
        event=changes.pop("event", None) or an_event(**changes),
        analyst=analyst,
    )


def a_case(**changes: Any) -> Case:
    return Case(data=a_start(**changes))


def a_brief(step: AgentStep = AgentStep.CAUSE, **changes: Any) -> Brief:
    return build_brief(a_case(**changes), step)


def some_figures(**changes: Any) -> Figures:
    return read_figures(a_brief(**changes))


def bad_release_pack(*more: EvidenceItem, target: float = 0.9, **changes: Any) -> EvidencePack:
    """Version 4 is the champion, and version 2 was champion before."""
    metrics = (version_metric("2", target), version_metric("4", 0.78))
    fields = {"champion_version": "4", "former_champions": ("2",), **changes}
    return full_pack(*metrics, *more, **fields)


def performance(current: float, *, rows: int = 3000, tolerance: float = 0.02) -> PerformanceChange:
    return PerformanceChange(
        metric="r2", reference=0.92, current=current, rows=rows, degraded=0.92 - current > tolerance
    )


def a_triage_reply(**changes: Any) -> TriageReply:
    fields: dict[str, Any] = {
        "severity": Severity.HIGH,
        "focus": ["Occupancy"],
        "question": "Did the target move for good?",
    }
    return TriageReply(**{**fields, **changes})


def a_root_cause_reply(**changes: Any) -> RootCauseReply:
    fields: dict[str, Any] = {
        "cause": Cause.LABEL_SHIFT,
        "hypotheses": [
            Hypothesis(cause=Cause.LABEL_SHIFT, likelihood=0.8),
            Hypothesis(cause=Cause.SEASONALITY, likelihood=0.1),
        ],
        "citations": list(good_citations()),
        "explanation": "The target moved and the champion lost.",
        "confidence": 0.8,
    }
    return RootCauseReply(**{**fields, **changes})


def a_plan_reply(**changes: Any) -> PlanReply:
    fields: dict[str, Any] = {
        "action": Action.RETRAIN,
        "options": [
            OptionReply(
                action=Action.RETRAIN,
                rationale="It lost.",
                benefit="It learns.",
                risk="It forgets.",
            )
        ],
        "citations": [Citation(evidence_id="drift:Occupancy", quote="PSI 0.310")],
        "confidence": 0.9,
    }
    return PlanReply(**{**fields, **changes})


def a_review_reply(**changes: Any) -> ReviewReply:
    fields: dict[str, Any] = {
        "agrees": True,
        "concerns": [],
        "summary": "The target moved; retrain.",
        "confidence": 0.85,
    }
    return ReviewReply(**{**fields, **changes})
