"""Derives what the mint answers from: its own configuration, the registry, seals and the chain.

A request says what a workflow believes. Policy and specification come by hash from the mint's own
archive, the registry is read afresh, the evidence is composed again from sealed measurements, and
the deliberation counts only if the audit chain holds its hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from policies.confidence import compute_confidence
from policies.costs import explain_false_cost
from policies.decision import decide
from policies.evidence import compose_evidence
from policies.incident import Investigation, collect_facts
from policies.knowledge_query import describe_finding
from policies.ledger import build_usage_query
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import ModelUsage
from trimtab.contracts.decision import Decision, PolicyQuestion
from trimtab.contracts.evidence import RegistryFacts
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.ports import (
    AuditLog,
    ConfigurationArchive,
    EventPublishers,
    EvidenceSeal,
    Ledger,
    ModelRegistry,
    Refused,
)

_MEASURED_BEFORE_OPENING: Final = timedelta(minutes=1)
"""Time by which the clocks of two machines may differ."""


@dataclass(frozen=True, kw_only=True)
class MintSources:
    """The ports that the mint reads."""

    registry: ModelRegistry
    log: AuditLog
    seal: EvidenceSeal
    configuration: ConfigurationArchive
    ledger: Ledger
    publishers: EventPublishers


@dataclass(frozen=True, kw_only=True)
class DerivedCase:
    """An incident as the mint finds it."""

    incident: IncidentInput
    """With our own limits, specification and publisher instead of those that were presented."""
    recorded: Mapping[Gate, AuditEntry]
    """The newest entry of each gate."""
    question: PolicyQuestion
    decision: Decision


def derive_case(
    sources: MintSources, request: AuthorisationRequest, *, now: datetime
) -> DerivedCase:
    """Ask the policy again, from what is sealed, recorded or read here and now.

    Raises:
        Refused: Something that the request presents is not what we hold.
    """
    recorded = _read_chain(sources.log, request)
    _check_seals(sources.seal, request, recorded)
    incident = _find_incident(sources, request.incident, recorded)
    question = _build_question(sources, request, incident, now=now)
    decision = decide(question)
    _check_plan(request, incident, decision)
    return DerivedCase(incident=incident, recorded=recorded, question=question, decision=decision)


def _read_chain(log: AuditLog, request: AuthorisationRequest) -> dict[Gate, AuditEntry]:
    """Return the newest entry of each gate, once the chain is about this very incident."""
    event = request.incident.event
    recorded = {line.entry.gate: line.entry for line in log.lines(event.id, model=event.subject)}
    if Gate.CLOSED in recorded:
        msg = f"incident {event.id!r} is closed: nothing more is authorised for it"
        raise Refused(msg)
    presented = (
        (Gate.OPENED, "event_hash", compute_digest(event)),
        (Gate.OPENED, "policy_hash", request.incident.policy_hash),
        (Gate.OPENED, "spec_hash", compute_digest(request.incident.spec)),
        (Gate.DELIBERATED, "deliberation_hash", compute_digest(request.deliberation)),
        (Gate.DELIBERATED, "failure", request.failure),
        (Gate.DECIDED, "plan_hash", request.plan_hash),
    )
    for gate, name, value in presented:
        known = recorded[gate].detail.get(name) if gate in recorded else None
        if known != value:
            msg = f"the audit chain holds {known!r} as {name} of {gate}, not {value!r}"
            raise Refused(msg)
    return recorded


def _check_seals(
    seal: EvidenceSeal, request: AuthorisationRequest, recorded: Mapping[Gate, AuditEntry]
) -> None:
    """Raise `Refused` unless our own workers measured, for this incident and its own time."""
    event, measured = request.incident.event, request.measured
    for record in (measured, request.recalled):
        if record.event_id != event.id or not seal.check(record):
            msg = (
                f"what is said to be measured for incident {event.id!r} bears no seal of "
                f"ours for it ({type(record).__name__}): nothing is authorised on it"
            )
            raise Refused(msg)
    if request.recalled.query != describe_finding(event.data):
        msg = (
            f"the documents were not recalled for the finding of incident {event.id!r}, but for "
            f"{request.recalled.query!r:.100}: documents chosen by other words support nothing"
        )
        raise Refused(msg)
    began_at = recorded[Gate.OPENED].at
    expected = request.incident.as_of or (began_at - _MEASURED_BEFORE_OPENING)
    if measured.model != event.subject or measured.as_of < expected:
        msg = (
            f"the versions of {measured.model!r} were measured as of {measured.as_of}, and "
            f"the incident of {event.subject!r} began at {began_at}"
        )
        raise Refused(msg)


def _find_incident(
    sources: MintSources, presented: IncidentInput, recorded: Mapping[Gate, AuditEntry]
) -> IncidentInput:
    """Return the incident with our own configuration, the one under which it began."""
    event, began_at = presented.event, recorded[Gate.OPENED].at
    archive = sources.configuration
    spec_hash = compute_digest(presented.spec)
    return presented.model_copy(
        update={
            "limits": archive.find_limits(presented.policy_hash, began_at=began_at),
            "spec": archive.find_spec(event.subject, spec_hash, began_at=began_at),
            "publisher": sources.publishers.find_publisher(event),
        }
    )


def _build_question(
    sources: MintSources, request: AuthorisationRequest, incident: IncidentInput, *, now: datetime
) -> PolicyQuestion:
    event, registry = incident.event, sources.registry
    model = event.subject
    facts = RegistryFacts(
        champion=registry.champion(model),
        versions=registry.versions(model),
        last_action_at=registry.last_action_at(model),
    )
    pack = compose_evidence(
        event.data, facts, request.measured.metrics, request.recalled.documents, now=now
    )
    case = Investigation(
        incident=incident,
        pack=pack,
        measured=request.measured,
        recalled=request.recalled,
        deliberation=request.deliberation,
        confidence=compute_confidence(request.deliberation, pack, incident),
        failure=request.failure,
    )
    query = build_usage_query(model, event.id, limits=incident.limits, now=now)
    usage = ModelUsage(ledger=sources.ledger.read(query), freeze=registry.freeze(model))
    return PolicyQuestion(
        plan=case.plan,
        facts=collect_facts(case, usage, now=now),
        limits=incident.limits,
        now=now,
    )


def _check_plan(request: AuthorisationRequest, incident: IncidentInput, decision: Decision) -> None:
    plan, event = request.deliberation.plan, incident.event
    if (plan.event_id, plan.model) != (event.id, event.subject):
        msg = (
            f"the plan is for event {plan.event_id!r} of {plan.model!r}, not for {event.id!r} "
            f"of {event.subject!r}"
        )
        raise Refused(msg)
    if decision.plan_hash != request.plan_hash:
        msg = f"plan {request.plan_hash:.12} was decided on, and it is {decision.plan_hash:.12}"
        raise Refused(msg)
    if not plan.action.changes_registry:
        msg = f"the plan is to {plan.action}: there is nothing to authorise"
        raise Refused(msg)
    if fault := explain_false_cost(plan, incident.spec.costs):
        raise Refused(fault)
