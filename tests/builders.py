"""Builders with good defaults: a test says only what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from policies.confidence import compute_confidence
from policies.incident import Investigation
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Facts, Limits, PolicyQuestion
from trimtab.contracts.deliberation import (
    Cause,
    Deliberation,
    RemediationPlan,
    Review,
    RootCause,
    Triage,
)
from trimtab.contracts.drift import (
    DriftEvent,
    DriftFinding,
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    Severity,
    Window,
)
from trimtab.contracts.evidence import Citation, EvidenceItem, EvidencePack, EvidenceSource
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.model import (
    Feature,
    ModelSpec,
    PairedComparison,
    Task,
    Tier,
    VersionMetric,
)
from trimtab.contracts.remediation import Action

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def a_window(*, end: datetime = NOW, rows: int = 3000) -> Window:
    return Window(start=end - WEEK, end=end, rows=rows)


def a_feature_drift(name: str = "Occupancy", **changes: Any) -> FeatureDrift:
    fields: dict[str, Any] = {
        "name": name,
        "kind": FeatureKind.NUMERIC,
        "role": FeatureRole.TARGET,
        "psi": 0.31,
        "jensen_shannon": 0.22,
        "drifted": True,
    }
    return FeatureDrift(**{**fields, **changes})


def a_finding(**changes: Any) -> DriftFinding:
    fields: dict[str, Any] = {
        "model": "parking",
        "champion_version": "1",
        "reference": Window(start=NOW - 5 * WEEK, end=NOW - WEEK, rows=12000),
        "current": a_window(),
        "severity": Severity.HIGH,
        "features": (a_feature_drift(),),
        "performance": PerformanceChange(
            metric="r2", reference=0.92, current=0.78, rows=3000, degraded=True
        ),
    }
    return DriftFinding(**{**fields, **changes})


def an_event(event_id: str = "event-1", **changes: Any) -> DriftEvent:
    finding = a_finding(**changes)
    return DriftEvent(
        id=event_id,
        source="trimtab/tests",
        subject=finding.model,
        time=NOW,
        correlationid=event_id,
        data=finding,
    )


def a_spec(**changes: Any) -> ModelSpec:
    fields: dict[str, Any] = {
        "name": "parking",
        "task": Task.REGRESSION,
        "dataset": "parking",
        "target": "Occupancy",
        "timestamp": "LastUpdated",
        "features": (Feature(name="Capacity", kind=FeatureKind.NUMERIC),),
        "window": WEEK,
        "reference_windows": 4,
        "label_delay": timedelta(0),
        "metric": "r2",
    }
    return ModelSpec(**{**fields, **changes})


def a_plan(**changes: Any) -> RemediationPlan:
    fields: dict[str, Any] = {
        "event_id": "event-1",
        "model": "parking",
        "action": Action.RETRAIN,
        "champion_version": "1",
        "cause": Cause.LABEL_SHIFT,
        "cost": Decimal(5),
        "currency": "EUR",
        "options": (),
        "citations": (),
        "self_reported": 0.95,
    }
    return RemediationPlan(**{**fields, **changes})


def the_facts(**changes: Any) -> Facts:
    fields: dict[str, Any] = {
        "tier": Tier.STANDARD,
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "corrupt": False,
        "champion_version": "1",
        "reviewer_agrees": True,
        "degraded": False,
        "rules_support": True,
        "rules_reason": "",
        "rules_cause": Cause.LABEL_SHIFT,
        "rules_likelihood": 0.9,
        "event_signed": True,
    }
    return Facts(**{**fields, **changes})


def a_question(
    plan: RemediationPlan | None = None,
    facts: Facts | None = None,
    limits: Limits | None = None,
    now: datetime = NOW,
) -> PolicyQuestion:
    return PolicyQuestion(
        plan=plan or a_plan(), facts=facts or the_facts(), limits=limits or Limits(), now=now
    )


def an_item(item_id: str = "drift:Occupancy", **changes: Any) -> EvidenceItem:
    fields: dict[str, Any] = {
        "source": EvidenceSource.DRIFT,
        "statement": "The target Occupancy drifted: PSI 0.310.",
        "value": 0.31,
        "column": "Occupancy",
        "role": FeatureRole.TARGET,
        "drifted": True,
    }
    return EvidenceItem(id=item_id, **{**fields, **changes})


def a_performance_item(**changes: Any) -> EvidenceItem:
    fields: dict[str, Any] = {
        "source": EvidenceSource.PERFORMANCE,
        "statement": "The champion's r2 was 0.920 and is 0.780.",
        "value": -0.14,
        "degraded": True,
    }
    return EvidenceItem(id="performance:champion", **{**fields, **changes})


def a_measurement(version: str = "1", value: float = 0.78, **changes: Any) -> VersionMetric:
    fields: dict[str, Any] = {"metric": "r2", "rows": 3000, "error": 0.01}
    return VersionMetric(version=version, value=value, **{**fields, **changes})


def a_pack(**changes: Any) -> EvidencePack:
    fields: dict[str, Any] = {
        "items": (
            an_item(),
            a_performance_item(),
        ),
        "champion_version": "1",
        "collected_at": NOW,
        "measurements": (a_measurement(),),
    }
    return EvidencePack(**{**fields, **changes})


def good_citations() -> tuple[Citation, ...]:
    return (
        Citation(evidence_id="drift:Occupancy", quote="PSI 0.310"),
        Citation(evidence_id="performance:champion", quote="is 0.780"),
    )


def a_root_cause(**changes: Any) -> RootCause:
    fields: dict[str, Any] = {
        "cause": Cause.LABEL_SHIFT,
        "hypotheses": ((Cause.LABEL_SHIFT, 0.8), (Cause.CONCEPT_DRIFT, 0.2)),
        "citations": good_citations(),
        "explanation": "The target moved and the champion lost.",
        "self_reported": 0.95,
    }
    return RootCause(**{**fields, **changes})


def a_deliberation(**changes: Any) -> Deliberation:
    plan = changes.pop("plan", a_plan())
    fields: dict[str, Any] = {
        "triage": Triage(severity=Severity.HIGH, focus=("Occupancy",), question="What moved?"),
        "root_cause": a_root_cause(),
        "plan": plan,
        "plan_hash": compute_digest(plan),
        "review": Review(agrees=True, concerns=(), summary="Retrain.", self_reported=0.95),
        "analyst": "analyst/rules",
    }
    return Deliberation(**{**fields, **changes})


def an_incident(event: DriftEvent | None = None, **changes: Any) -> IncidentInput:
    limits = changes.pop("limits", Limits())
    fields: dict[str, Any] = {
        "event": event or an_event(),
        "spec": a_spec(),
        "limits": limits,
        "policy_hash": compute_digest(limits),
        "published_at": NOW,
        "publisher": "trimtab",
        "as_of": NOW,
    }
    return IncidentInput(**{**fields, **changes})


def a_comparison(
    before: float = 0.8, after: float = 0.9, *, error: float = 0.001, **changes: Any
) -> PairedComparison:
    """Return a comparison on many rows; its interval reaches 1.28 standard errors either way."""
    reach = 1.28 * error
    fields: dict[str, Any] = {
        "champion": "1",
        "challenger": "2",
        "metric": "r2",
        "before": before,
        "after": after,
        "error": error,
        "low": after - before - reach,
        "high": after - before + reach,
        "after_low": after - reach,
        "after_high": after + reach,
        "rows": 600,
        "floor": 0.1,
    }
    return PairedComparison(**{**fields, **changes})


def an_investigation(**changes: Any) -> Investigation:
    deliberation, pack, incident = a_deliberation(), a_pack(), an_incident()
    fields: dict[str, Any] = {
        "incident": incident,
        "pack": pack,
        "deliberation": deliberation,
        "confidence": compute_confidence(deliberation, pack, incident),
    }
    return Investigation(**{**fields, **changes})
