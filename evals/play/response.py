"""Answers one event by the true code: evidence, deliberation, confidence, policy, remediation."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from temporalio.testing import ActivityEnvironment

from activities.evidence import EvidenceActivities
from evals.play.deliberation import deliberate_by_rules
from evals.play.incident_record import ResponseRecord
from evals.play.memory_pipelines import MemoryPipelines
from evals.play.memory_ports import MemorySeal
from evals.play.memory_registry import MemoryRegistry
from evals.play.remediation import remediate
from evals.play.shipped_knowledge import open_shipped_knowledge
from evals.truth import Truth
from policies.confidence import compute_confidence
from policies.decision import decide
from policies.evidence import compose_evidence, select_versions_to_measure
from policies.incident import (
    Investigation,
    collect_facts,
    determine_ending,
    is_champion_replaced,
)
from policies.knowledge_query import describe_finding
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, ModelUsage
from trimtab.contracts.decision import Decision, Limits, PolicyQuestion, Verdict
from trimtab.contracts.deliberation import DeliberationInput
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import EvidencePack, Measurement, Recall
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Outcome
from trimtab.runtime.models import load_limits
from trimtab.runtime.paths import SHIPPED

_PUBLISHER: Final = "trimtab"
_POLICY: Final = "conf/base/policy.yml"


@dataclass
class Responder:
    """Answers the events of one model; remembers what was done on it."""

    spec: ModelSpec
    registry: MemoryRegistry
    pipelines: MemoryPipelines
    last_attempt_at: datetime | None = None
    failures: list[datetime] = field(default_factory=list)

    async def respond(
        self, event: DriftEvent, *, now: datetime, truth: Truth, window: int
    ) -> ResponseRecord:
        """Return how the event was answered; a person who knows the truth answers escalations."""
        limits = load_shipped_limits()
        incident = IncidentInput(
            event=event,
            spec=self.spec,
            limits=limits,
            policy_hash=compute_digest(limits),
            published_at=now,
            publisher=_PUBLISHER,
            as_of=now,
        )
        pack = await self._collect_evidence(incident, now=now)
        data = DeliberationInput(event=event, spec=self.spec, pack=pack, analyst=incident.analyst)
        deliberation = deliberate_by_rules(data)
        case = Investigation(
            incident=incident,
            pack=pack,
            deliberation=deliberation,
            confidence=compute_confidence(deliberation, pack, incident),
        )
        facts = collect_facts(case, self._build_usage(), now=now)
        question = PolicyQuestion(plan=case.plan, facts=facts, limits=limits, now=now)
        decision = decide(question)
        approved = None
        if decision.verdict is Verdict.ESCALATE:
            approved = truth.is_affected(window) and case.plan.action in truth.actions
        ending, outcome = await self._carry_out(case, decision, approved=approved, now=now)
        return _build_record(case, decision, ending, outcome, approved=approved)

    async def _carry_out(
        self, case: Investigation, decision: Decision, *, approved: bool | None, now: datetime
    ) -> tuple[Ending, Outcome | None]:
        plan = case.plan
        if decision.verdict is Verdict.MONITOR:
            return Ending.MONITORED, None
        if decision.verdict is Verdict.NOTIFY:
            return Ending.NOTIFIED, None
        if decision.verdict is Verdict.ESCALATE and not approved:
            return Ending.REJECTED, None
        if not plan.action.changes_registry:
            return Ending.ACKNOWLEDGED, None
        authority = "person:truth" if approved else f"policy:{decision.rule}"
        outcome = await remediate(
            case.incident,
            plan,
            decision,
            authority=authority,
            registry=self.registry,
            pipelines=self.pipelines,
        )
        ending = determine_ending(outcome)
        self.last_attempt_at = now
        if is_champion_replaced(outcome):
            self.registry.acted_at = now
        if ending in {Ending.UNDONE, Ending.FAILED, Ending.NOT_VERIFIED}:
            self.failures.append(now)
        return ending, outcome

    async def _collect_evidence(self, incident: IncidentInput, *, now: datetime) -> EvidencePack:
        activities = EvidenceActivities(
            registry=self.registry,
            pipelines=self.pipelines,
            knowledge=open_shipped_knowledge(),
            seal=MemorySeal(),
        )
        finding = incident.event.data
        run = ActivityEnvironment().run
        facts = run(activities.read_registry, finding.model)
        request = Measurement(
            spec=self.spec,
            versions=select_versions_to_measure(facts, before=finding.current.start),
            as_of=now,
            event_id=incident.event.id,
        )
        measured = await run(activities.measure_versions, request)
        query = Recall(query=describe_finding(finding), event_id=incident.event.id)
        recalled = run(activities.recall_similar, query)
        return compose_evidence(finding, facts, measured.metrics, recalled.documents, now=now)

    def _build_usage(self) -> ModelUsage:
        return ModelUsage(
            ledger=LedgerFacts(last_attempt_at=self.last_attempt_at, failures=tuple(self.failures))
        )


@cache
def load_shipped_limits() -> Limits:
    """Return the shipped policy."""
    return load_limits(SHIPPED / _POLICY)


def _build_record(
    case: Investigation,
    decision: Decision,
    ending: Ending,
    outcome: Outcome | None,
    *,
    approved: bool | None,
) -> ResponseRecord:
    deliberation, confidence, pack = case.deliberation, case.confidence, case.pack
    if deliberation is None or confidence is None or pack is None:
        msg = "the rule analyst always answers"
        raise RuntimeError(msg)
    promoted = outcome is not None and is_champion_replaced(outcome)
    evidence: dict[str, Any] = pack.model_dump(
        mode="json",
        exclude={"items", "documents", "collected_at"},
        exclude_defaults=True,
    )
    return ResponseRecord(
        cause=deliberation.root_cause.cause,
        also=deliberation.root_cause.also,
        likelihoods={cause: round(value, 4) for cause, value in deliberation.root_cause.hypotheses},
        action=case.plan.action,
        target_version=case.plan.target_version,
        confidence=confidence.value,
        parts={part.name: part.value for part in confidence.parts},
        verdict=decision.verdict,
        rule=decision.rule,
        approved=approved,
        ending=ending,
        promoted=promoted,
        kept=promoted and outcome is not None and not outcome.undone,
        detail=(outcome.detail if outcome else decision.reason)[:300],
        evidence=evidence,
    )
