"""Closed incidents as a workflow reports them."""

from datetime import timedelta
from typing import Any

from policies.evidence import compose_evidence
from tests.builders import NOW, a_deliberation, a_finding
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Confidence, Decision, Verdict
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.evidence import EvidencePack, RegistryFacts
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.contracts.remediation import Outcome, RegistryEffect, Verification

KEY = compute_digest(["key"])


def collected(finding: DriftFinding | None = None) -> EvidencePack:
    """What the evidence of a finding is like."""
    registry = RegistryFacts(champion=None, versions=(), last_action_at=None)
    return compose_evidence(finding or a_finding(), registry, (), (), now=NOW)


def an_effect(step: str = "promote", **changes: Any) -> RegistryEffect:
    fields: dict[str, Any] = {
        "step": step,
        "key": KEY,
        "model": "parking",
        "version": "2",
        "applied": True,
        "detail": "made champion",
        "before": 0.78,
        "after": 0.88,
        "rows": 600,
    }
    return RegistryEffect(**{**fields, **changes})


def an_outcome(**changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "effects": (an_effect(),),
        "verification": Verification(
            metric="r2", before=0.774, after=0.871, rows=590, verified=True, detail="helped"
        ),
        "audit_sequence": 9,
        "audit_tip": KEY,
    }
    return Outcome(**{**fields, **changes})


def a_decision(**changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "verdict": Verdict.EXECUTE,
        "rule": "confidence",
        "reason": "sure enough",
        "results": (),
        "plan_hash": KEY,
        "policy_hash": KEY,
        "decided_at": NOW,
    }
    return Decision(**{**fields, **changes})


def a_report(**changes: Any) -> IncidentReport:
    fields: dict[str, Any] = {
        "event_id": "event-1",
        "model": "parking",
        "correlation_id": "event-1",
        "evidence": collected(),
        "deliberation": a_deliberation(),
        "confidence": Confidence(value=0.86, parts=(), self_reported=0.95),
        "decision": a_decision(),
        "outcome": an_outcome(),
        "ending": Ending.REMEDIATED,
        "published_at": NOW,
        "decided_at": NOW,
        "closed_at": NOW + timedelta(minutes=3),
        "audit_entries": 9,
        "audit_tip": KEY,
    }
    return IncidentReport(**{**fields, **changes})
