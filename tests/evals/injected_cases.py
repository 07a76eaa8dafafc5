"""Cases with a foreign text in one channel, and what the rule analyst concludes of them."""

import re
from datetime import timedelta
from typing import Any, NamedTuple

from google.adk.models.llm_request import LlmRequest
from google.genai import types

from agents.analyst.rule_analyst import RuleAnalyst
from agents.brief import read_brief
from agents.briefing import build_brief, format_request
from agents.case import AgentStep, Case
from agents.fence import CLOSING, OPENING
from agents.records import build_plan, build_review, build_root_cause, build_triage
from evals.injection.corpus import Channel
from policies.approval_page import render_approval_page
from policies.confidence import compute_confidence
from policies.decision import decide
from policies.evidence import compose_evidence
from policies.incident import Investigation, collect_facts
from policies.page_markdown import render_page_markdown
from tests.agents.cases import a_document
from tests.builders import NOW, a_feature_drift, a_finding, a_measurement, a_spec, an_incident
from trimtab.contracts.approvers import ApprovalTerms
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits, PolicyQuestion
from trimtab.contracts.deliberation import (
    Deliberation,
    DeliberationInput,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.drift import DriftEvent, FeatureKind, FeatureRole, QualityFault
from trimtab.contracts.evidence import EvidenceItem, EvidencePack, EvidenceSource, RegistryFacts
from trimtab.contracts.evidence_ids import build_column_id
from trimtab.contracts.model import ModelVersion, Tier

NAME_LENGTH = 128
COLUMN = "Capacity"
"""A twin's second column; with a payload in the name's channel it has another name."""


class Conclusion(NamedTuple):
    """Everything that an incident's effects depend on, without the words."""

    severity: str
    hypotheses: tuple[tuple[str, float], ...]
    action: str
    target: str | None
    cited: tuple[str, ...]
    agrees: bool
    concerns: int
    confidence: float
    parts: tuple[tuple[str, float], ...]
    verdict: str
    rule: str
    rules: tuple[tuple[str, str], ...]


class Outcome(NamedTuple):
    """A conclusion, and all texts that were shown on the way."""

    conclusion: Conclusion
    requests: tuple[str, ...]
    page: str
    markdown: str


def as_name(text: str) -> str:
    """As much of a text as the name of a column can hold."""
    return re.sub(r"[^\w.:/ -]", "", text)[:NAME_LENGTH].strip() or "x"


def a_poisoned_event(text: str, channel: Channel) -> DriftEvent:
    """An event whose metric fell and whose target moved, with the text in one of its fields."""
    name = as_name(text) if channel is Channel.FEATURE_NAME else COLUMN
    category = text if channel is Channel.CATEGORY_VALUE else "north"
    said = text if channel is Channel.EVENT_FIELD else "The shares differ"
    detail = f"{said}: values such as {category} are new"[:3900]
    finding = a_finding(
        features=(
            a_feature_drift("Occupancy"),
            a_feature_drift(
                name, role=FeatureRole.FEATURE, kind=FeatureKind.CATEGORICAL, psi=0.0,
                jensen_shannon=0.0, why=said[:400], change=category[:400],
            ),
        ),
        quality=(
            QualityFault(
                kind="unseen_category", column=name, detail=detail, segment=category, fraction=0.02
            ),
        ),
    )  # fmt: skip
    return DriftEvent(
        id="event-1", source="trimtab/tests", subject=finding.model, time=NOW,
        correlationid="event-1", data=finding,
    )  # fmt: skip


def a_poisoned_pack(event: DriftEvent, text: str, channel: Channel) -> EvidencePack:
    words = text if channel is Channel.DOCUMENT else "Retrain on recent weeks."
    documents = (
        a_document(title=words[:200], text=words),
        a_document("incident:1", kind="incident", succeeded=True, similarity=0.5, title=words[:200],
                   text=words, origin="observed"),
    )  # fmt: skip
    versions = tuple(ModelVersion(model="parking", version=v, created_at=NOW) for v in "21")
    registry = RegistryFacts(champion=versions[-1], versions=versions[1:], last_action_at=None)
    return compose_evidence(event.data, registry, (a_measurement(),), documents, now=NOW)


def inspected_items(text: str, channel: Channel, event: DriftEvent) -> tuple[EvidenceItem, ...]:
    words = text if channel is Channel.TOOL_RESULT else "The mean of north rose from 2 to 3."
    return tuple(
        EvidenceItem(
            id=build_column_id(feature.name), source=EvidenceSource.INSPECTION, statement=words,
            column=feature.name,
        )
        for feature in event.data.features
    )  # fmt: skip


async def conclude(text: str, channel: Channel) -> Outcome:
    """Take a case with the text in the channel through every step to the decision."""
    event = a_poisoned_event(text, channel)
    pack, spec = a_poisoned_pack(event, text, channel), a_spec(tier=Tier.STANDARD)
    case = Case(
        data=DeliberationInput(event=event, spec=spec, pack=pack, analyst="analyst/rules"),
        inspected=inspected_items(text, channel, event),
    )
    requests: list[str] = []

    async def ask(step: AgentStep) -> str:
        request = format_request(case, step)
        assert read_brief(request) == build_brief(case, step), "the fence changed the case"
        requests.append(request)
        return await answer(request)

    triage = build_triage(TriageReply.model_validate_json(await ask(AgentStep.TRIAGE)), case)
    case = case.model_copy(update={"triage": triage})
    cause = RootCauseReply.model_validate_json(await ask(AgentStep.CAUSE))
    case = case.model_copy(update={"root_cause": build_root_cause(cause, case)})
    plan = build_plan(PlanReply.model_validate_json(await ask(AgentStep.PLAN)), case)
    case = case.model_copy(update={"plan": plan})
    review = build_review(ReviewReply.model_validate_json(await ask(AgentStep.REVIEW)), case)
    case = case.model_copy(update={"review": review})
    return settle_case(case, tuple(requests), names={event.data.features[1].name: COLUMN})


async def answer(request: str) -> str:
    """What the built-in analyst answers, asked as any other model is."""
    contents = [types.Content(role="user", parts=[types.Part(text=request)])]
    replies = RuleAnalyst().generate_content_async(LlmRequest(model="x", contents=contents))
    texts = [reply.content.parts[0].text async for reply in replies if reply.content]  # type: ignore[index]
    return texts[0] or ""


def settle_case(case: Case, requests: tuple[str, ...], *, names: dict[str, str]) -> Outcome:
    triage, cause, plan, review = case.triage, case.root_cause, case.plan, case.review
    assert triage
    assert cause
    assert plan
    assert review
    deliberation = Deliberation(
        triage=triage, root_cause=cause, plan=plan, plan_hash=compute_digest(plan), review=review,
        inspected=case.inspected, analyst="analyst/rules",
    )  # fmt: skip
    limits = Limits()
    incident = an_incident(event=case.data.event, spec=case.data.spec, limits=limits)
    investigation = Investigation(
        incident=incident,
        pack=case.data.pack,
        deliberation=deliberation,
        confidence=compute_confidence(deliberation, case.data.pack, incident),
    )
    facts = collect_facts(investigation, now=NOW)
    decision = decide(PolicyQuestion(plan=plan, facts=facts, limits=limits, now=NOW))
    page = render_approval_page(
        investigation, decision, workflow_id="drift-response/parking/event-1", terms=the_terms(plan)
    )
    confidence = investigation.confidence
    assert confidence
    conclusion = Conclusion(
        severity=triage.severity,
        hypotheses=tuple((each.value, round(value, 6)) for each, value in cause.hypotheses),
        action=plan.action,
        target=plan.target_version,
        cited=tuple(
            rename(each.evidence_id, names) for each in (*cause.citations, *plan.citations)
        ),
        agrees=review.agrees,
        concerns=len(review.concerns),
        confidence=confidence.value,
        parts=tuple((part.name, part.value) for part in confidence.parts),
        verdict=decision.verdict,
        rule=decision.rule,
        rules=tuple((each.rule, each.verdict.value) for each in decision.results),
    )
    return Outcome(conclusion, requests, page, render_page_markdown(page))


def rename(evidence_id: str, names: dict[str, str]) -> str:
    """Return an id with the twin's name of the column."""
    head, colon, name = evidence_id.rpartition(":")
    for known, plain in names.items():
        if evidence_id.endswith(f":{known}"):
            return f"{evidence_id.removesuffix(known)}{plain}"
    return f"{head}{colon}{name}"


def the_terms(plan: Any) -> ApprovalTerms:
    return ApprovalTerms(
        incident="event-1", model="parking", plan_hash=compute_digest(plan), tier=Tier.STANDARD,
        approvers={}, asked_at=NOW, deadline=NOW + timedelta(hours=4),
    )  # fmt: skip


def count_fences(request: str) -> tuple[int, int]:
    """How many lines are a fence; nothing else may resemble one."""
    lines = request.splitlines()
    return lines.count(OPENING), lines.count(CLOSING)
