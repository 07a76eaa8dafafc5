"""Derives the plan, facts, orders, audit details and ending of an incident."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from policies.claims import find_contradictions, rate_measured_loss
from policies.second_opinion import collect_rules_facts, is_degraded
from trimtab.contracts.audit import AuditEntry
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, ModelUsage
from trimtab.contracts.decision import Confidence, Decision, Facts, PolicyQuestion
from trimtab.contracts.deliberation import Cause, Deliberation, RemediationPlan
from trimtab.contracts.evidence import (
    ChallengerPreview,
    EvidencePack,
    MeasuredVersions,
    RecalledDocuments,
)
from trimtab.contracts.incident import Ending, IncidentInput, IncidentReport
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    Outcome,
    Step,
    compute_effect_key,
)


@dataclass(frozen=True, kw_only=True)
class CollectedEvidence:
    """The evidence pack, and the sealed results that it was composed from."""

    pack: EvidencePack
    measured: MeasuredVersions
    recalled: RecalledDocuments


@dataclass(frozen=True, kw_only=True)
class Investigation:
    """Results of investigating an incident, as far as it has come."""

    incident: IncidentInput
    pack: EvidencePack | None = None
    """None if no evidence could be collected."""
    measured: MeasuredVersions | None = None
    recalled: RecalledDocuments | None = None
    deliberation: Deliberation | None = None
    """None if neither the configured analyst nor the fallback came to a conclusion."""
    confidence: Confidence | None = None
    failure: str = ""
    """Why a step failed; empty if none did."""
    preview: ChallengerPreview | None = None
    """What the retraining that is planned would give; None if it was not tried."""

    @property
    def plan(self) -> RemediationPlan:
        """The agents' plan; without one, the plan to do nothing about an unknown cause."""
        if self.deliberation is not None:
            return self.deliberation.plan
        return RemediationPlan(
            event_id=self.incident.event.id,
            model=self.incident.event.subject,
            action=Action.MONITOR,
            champion_version=self.pack.champion_version if self.pack else None,
            cause=Cause.UNKNOWN,
            cost=Decimal(0),
            currency="EUR",
            options=(),
            citations=(),
            self_reported=0.0,
        )


def collect_facts(case: Investigation, usage: ModelUsage | None = None, *, now: datetime) -> Facts:
    """Return the facts for the policy.

    The worst severity counts: that of the event, of what was measured, or of the agents.
    `incident.publisher` says whether the event is signed: whoever does not trust the bridge sets it
    to what their own keys verify.
    """
    incident, ledger = case.incident, usage.ledger if usage else None
    finding, pack, deliberation = incident.event.data, case.pack, case.deliberation
    spec = incident.spec
    severities = [finding.severity]
    if measured := rate_measured_loss(incident.event, pack, incident.spec):
        severities.append(measured)
    if deliberation is not None:
        severities.append(deliberation.triage.severity)
    return Facts(
        tier=spec.tier,
        severity=max(severities, key=lambda severity: severity.rank),
        confidence=case.confidence.value if case.confidence else 0.0,
        corrupt=finding.corrupt,
        champion_version=pack.champion_version if pack else None,
        reviewer_agrees=deliberation is not None and deliberation.review.agrees,
        deliberation_failed=bool(case.failure),
        last_action_at=find_last_action(pack.last_action_at if pack else None, ledger),
        ledger=ledger,
        freeze=usage.freeze if usage else None,
        degraded=is_degraded(finding),
        event_signed=bool(incident.publisher),
        contradictions=find_contradictions(
            incident.event, pack, incident.spec, incident.limits, now=now
        ),
        **(collect_rules_facts(finding, spec, pack, plan=case.plan) if pack else {}),
    )


def find_last_action(recorded_at: datetime | None, ledger: LedgerFacts | None) -> datetime | None:
    """Return the time of the last action, also of one that changed nothing, or None.

    The registry knows the actions that replaced a champion, the ledger every attempt.
    """
    times = (recorded_at, ledger.last_attempt_at if ledger else None)
    return max((each for each in times if each is not None), default=None)


def build_intent_detail(order: ActionOrder) -> dict[str, JsonValue]:
    """Return the detail of the entry INTENDED that is on disk before the order's step."""
    return {
        "step": order.step,
        "key": order.key,
        "champion_version": order.champion_version,
        "challenger_version": order.challenger_version,
    }


def build_action_order(
    incident: IncidentInput, plan: RemediationPlan, decision: Decision, grant: str
) -> ActionOrder:
    """Return the order that the remediation carries out."""
    return ActionOrder(
        spec=incident.spec,
        event_id=incident.event.id,
        correlation_id=incident.event.correlationid,
        plan_hash=decision.plan_hash,
        policy_hash=decision.policy_hash,
        action=plan.action,
        champion_version=plan.champion_version,
        challenger_version=plan.target_version,
        current=incident.event.data.current,
        step="remediate",
        key=compute_effect_key(incident.event.id, decision.plan_hash, "remediate"),
        grant=grant,
    )


def determine_ending(outcome: Outcome) -> Ending:
    """Return the ending of an incident whose plan was carried out as far as `outcome` says.

    It is superseded if somebody else replaced the champion before this plan did.
    """
    if outcome.failed and outcome.superseded and not is_champion_replaced(outcome):
        return Ending.SUPERSEDED
    if outcome.failed:
        return Ending.FAILED
    if not is_champion_replaced(outcome):
        return Ending.NOT_PROMOTED
    verification = outcome.verification
    if verification is None or verification.rows == 0:
        return Ending.NOT_VERIFIED
    return Ending.REMEDIATED if verification.verified and not outcome.undone else Ending.UNDONE


def is_champion_replaced(outcome: Outcome) -> bool:
    """Return whether another version was made champion, even if that was undone."""
    return any(
        effect.applied and effect.step in {Step.PROMOTE, Step.ROLL_BACK}
        for effect in outcome.effects
    )


_REPORT_TIMES: Final = ("decided_at", "acted_at", "closed_at")
"""Fields of a report that come from the workflow's clock."""


def compute_report_hash(report: IncidentReport) -> str:
    """Return the digest of a report without its times and its chain's end.

    The end is known only afterwards. The times are others if the last workflow task is executed
    again, because its worker died: those that the audit log keeps are the ones that count.
    """
    left_out = {"audit_entries", "audit_tip", "answers", *_REPORT_TIMES}
    return compute_digest(report.model_dump(mode="json", exclude=left_out))


def build_closing_detail(report: IncidentReport) -> dict[str, JsonValue]:
    """Return what the audit log keeps of the end; the hash shows which report belongs to it."""
    return {
        "ending": report.ending.value,
        "failure": report.failure,
        "report_hash": compute_report_hash(report),
        "times": report.model_dump(mode="json", include=set(_REPORT_TIMES)),
    }


def take_recorded_times(report: IncidentReport, closing: AuditEntry) -> IncidentReport:
    """Return the report with the times that its CLOSED entry keeps."""
    times = closing.detail.get("times")
    kept = times if isinstance(times, dict) else {}
    return IncidentReport.model_validate({**dict(report), **kept})


def build_opening_detail(incident: IncidentInput) -> dict[str, JsonValue]:
    """Return what the audit log keeps of the event, and of the policy that applies to it."""
    finding = incident.event.data
    return {
        "event_hash": compute_digest(incident.event),
        "policy_hash": incident.policy_hash,
        "spec_hash": compute_digest(incident.spec),
        "severity": finding.severity.value,
        "drifted": [feature.name for feature in finding.drifted],
        "window": [finding.current.start.isoformat(), finding.current.end.isoformat()],
        "analyst": incident.analyst,
        "publisher": incident.publisher,
    }


def build_evidence_detail(case: Investigation) -> dict[str, JsonValue]:
    """Return what the audit log keeps of the evidence: its hash, or why there is none."""
    if case.pack is None:
        return {"failure": case.failure}
    return {
        "pack_hash": compute_digest(case.pack),
        "items": len(case.pack.items),
        "champion_version": case.pack.champion_version,
    }


def build_deliberation_detail(case: Investigation) -> dict[str, JsonValue]:
    """Return what the audit log keeps of the deliberation: the whole plan and its confidence."""
    detail: dict[str, JsonValue] = {"failure": case.failure}
    if case.deliberation is not None:
        detail["deliberation_hash"] = compute_digest(case.deliberation)
        detail["plan"] = case.deliberation.plan.model_dump(mode="json")
    if case.confidence is not None:
        detail["confidence"] = case.confidence.model_dump(mode="json")
    return detail


def build_decision_detail(decision: Decision, question: PolicyQuestion) -> dict[str, JsonValue]:
    """Return what the audit log keeps of a decision: all of it, and what it was derived from.

    Plan, facts and time are kept, so that other limits can be tried on them later. The limits are
    not: the policy's hash names them.
    """
    detail: dict[str, JsonValue] = decision.model_dump(mode="json")
    return {**detail, "question": question.model_dump(mode="json", exclude={"limits"})}
