"""Names how an incident ends, what stands in for a missing plan, and what the audit log keeps."""

from decimal import Decimal

from pydantic import JsonValue

from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Confidence, Decision, Facts
from trimtab.contracts.deliberation import Cause, Deliberation, RemediationPlan
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.remediation import Action, ActionOrder, Outcome, Step, compute_effect_key


def unplanned(event: DriftEvent, pack: EvidencePack | None) -> RemediationPlan:
    """The plan of an incident whose deliberation failed: do nothing, cause unknown."""
    return RemediationPlan(
        event_id=event.id,
        model=event.subject,
        action=Action.MONITOR,
        champion_version=pack.champion_version if pack else None,
        cause=Cause.UNKNOWN,
        cost=Decimal(0),
        currency="EUR",
        options=(),
        citations=(),
        self_reported=0.0,
    )


def facts_of(
    incident: IncidentInput,
    pack: EvidencePack | None,
    deliberation: Deliberation | None,
    confidence: Confidence | None,
    failure: str,
) -> Facts:
    """What the policy is told; the agents' severity counts only where it is the graver one."""
    severities = [incident.event.data.severity]
    if deliberation is not None:
        severities.append(deliberation.triage.severity)
    return Facts(
        tier=incident.spec.tier,
        severity=max(severities, key=lambda severity: severity.rank),
        confidence=confidence.value if confidence else 0.0,
        corrupt=incident.event.data.corrupt,
        champion_version=pack.champion_version if pack else None,
        reviewer_agrees=deliberation is not None and deliberation.review.agrees,
        deliberation_failed=bool(failure),
        last_action_at=pack.last_action_at if pack else None,
    )


def ending_of(outcome: Outcome) -> Ending:
    """How an incident ends whose plan was carried out as far as `outcome` tells."""
    if outcome.failed:
        return Ending.FAILED
    if not champion_moved(outcome):
        return Ending.NOT_PROMOTED
    verification = outcome.verification
    if verification is None or verification.rows == 0:
        return Ending.NOT_VERIFIED
    return Ending.REMEDIATED if verification.verified and not outcome.undone else Ending.UNDONE


def champion_moved(outcome: Outcome) -> bool:
    """Whether another version was made champion, even if that was undone."""
    return any(
        effect.applied and effect.step in {Step.PROMOTE, Step.ROLL_BACK}
        for effect in outcome.effects
    )


def order_of(
    incident: IncidentInput, plan: RemediationPlan, decision: Decision, grant: str
) -> ActionOrder:
    """What the remediation is told to carry out."""
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


def opening_detail(incident: IncidentInput) -> dict[str, JsonValue]:
    """What the audit log keeps of the event and of the rules it is judged by."""
    finding = incident.event.data
    return {
        "event_hash": compute_digest(incident.event),
        "policy_hash": incident.policy_hash,
        "severity": finding.severity.value,
        "drifted": [feature.name for feature in finding.drifted],
        "window": [finding.current.start.isoformat(), finding.current.end.isoformat()],
        "analyst": incident.analyst,
    }


def evidence_detail(pack: EvidencePack | None, failure: str) -> dict[str, JsonValue]:
    """What the audit log keeps of the evidence: its hash, not its bulk."""
    if pack is None:
        return {"failure": failure}
    return {
        "pack_hash": compute_digest(pack),
        "items": len(pack.items),
        "champion_version": pack.champion_version,
    }


def deliberation_detail(
    deliberation: Deliberation | None, confidence: Confidence | None, failure: str
) -> dict[str, JsonValue]:
    """What the audit log keeps of the deliberation: the whole plan, and how sure we are of it."""
    detail: dict[str, JsonValue] = {"failure": failure}
    if deliberation is not None:
        detail["deliberation_hash"] = compute_digest(deliberation)
        detail["plan"] = deliberation.plan.model_dump(mode="json")
    if confidence is not None:
        detail["confidence"] = confidence.model_dump(mode="json")
    return detail
