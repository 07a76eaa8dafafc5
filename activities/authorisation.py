"""Mints a grant for a plan that the policy, or a person, allows.

The mint believes nothing that it can derive. It takes policy and specification from its own
configuration, reads the registry afresh, and composes the evidence again from sealed measurements.
Confidence and decision follow from that, and from a deliberation whose hash the audit chain holds.
What a workflow decided counts only where it is the stricter one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from temporalio import activity

from activities.caller import check_local_caller
from activities.errors import translate_errors
from policies.approval import build_approval_terms, check_approvals
from policies.confidence import compute_confidence
from policies.decision import decide
from policies.evidence import compose_evidence
from policies.incident import Investigation, collect_facts
from policies.ledger import build_usage_query
from trimtab.contracts import names
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, ModelUsage, Reservation
from trimtab.contracts.decision import Decision, Limits, PolicyQuestion, Verdict
from trimtab.contracts.evidence import RegistryFacts
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import (
    AuditLog,
    ConfigurationArchive,
    EventPublishers,
    EvidenceSeal,
    GrantMint,
    Ledger,
    ModelRegistry,
    Refused,
)
from trimtab.contracts.remediation import Action, GrantClaims, Step

STEPS_OF_ACTION = {
    Action.RETRAIN: (Step.RETRAIN, Step.PROMOTE),
    Action.ROLL_BACK: (Step.ROLL_BACK,),
}
"""The steps of each action that change the registry."""
_MEASURED_BEFORE_OPENING = timedelta(minutes=1)
"""Time by which the clocks of two machines may differ."""


_BY_POLICY = "policy:"
"""What the authority of a plan begins with that no person had to approve."""


def _read_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class MintSources:
    """What the mint derives from."""

    registry: ModelRegistry
    log: AuditLog
    seal: EvidenceSeal
    configuration: ConfigurationArchive
    ledger: Ledger
    publishers: EventPublishers


@dataclass(frozen=True)
class _Configuration:
    """What applies to an incident by the mint's own configuration."""

    limits: Limits
    spec: ModelSpec


class AuthorisationActivities:
    """Activities over the mint; only workers that hold the private key run them."""

    def __init__(
        self,
        sources: MintSources,
        *,
        mint: GrantMint,
        lifetime: timedelta,
        replay: bool = False,
        local_user: str = "",
        clock: Callable[[], datetime] = _read_clock,
    ) -> None:
        self._mint = mint
        self._sources = sources
        self._lifetime = lifetime
        self._replay = replay
        """Whether a backtest replays the past: set by this process's own configuration."""
        self._local_user = local_user
        """The user who runs this process: where the policy lists no approvers, this name counts."""
        self._clock = clock

    @activity.defn
    @translate_errors
    def authorise(self, request: AuthorisationRequest) -> str:
        """Return a grant for the plan; raise `Refused` if there is none."""
        event = request.incident.event
        workflow_id = names.build_drift_response_id(event.subject, event.id)
        check_local_caller({names.DRIFT_RESPONSE: workflow_id})
        recorded = self._read_chain(request)
        configuration = self._find_configuration(request, recorded)
        now = self._find_now(request)
        question = self._build_question(request, configuration, recorded, now=now)
        decision = decide(question)
        _check_plan(request, decision)
        authority = self._find_authority(decision, question, request, recorded)
        issued_at = self._clock()
        plan = question.plan
        claims = GrantClaims(
            event_id=event.id,
            model=plan.model,
            action=plan.action,
            plan_hash=decision.plan_hash,
            policy_hash=decision.policy_hash,
            champion_version=plan.champion_version,
            target_version=plan.target_version,
            steps=STEPS_OF_ACTION[plan.action],
            spec_hash=compute_digest(configuration.spec),
            verification_margin=configuration.limits.verification_margin,
            as_of=now,
            authority=authority,
            issued_at=issued_at,
            expires_at=issued_at + self._lifetime,
        )
        self._reserve(question, claims)
        return self._mint.mint(claims)

    def _read_chain(self, request: AuthorisationRequest) -> dict[Gate, AuditEntry]:
        """Return the newest entry of each gate, once the chain is about this very incident."""
        event = request.incident.event
        lines = self._sources.log.lines(event.id, model=event.subject)
        recorded = {line.entry.gate: line.entry for line in lines}
        if Gate.CLOSED in recorded:
            msg = f"incident {event.id!r} is closed: nothing more is authorised for it"
            raise Refused(msg)
        _check_recorded(recorded, Gate.OPENED, "event_hash", compute_digest(event))
        _check_recorded(recorded, Gate.OPENED, "policy_hash", request.incident.policy_hash)
        _check_recorded(recorded, Gate.OPENED, "spec_hash", compute_digest(request.incident.spec))
        _check_recorded(
            recorded, Gate.DELIBERATED, "deliberation_hash", compute_digest(request.deliberation)
        )
        _check_recorded(recorded, Gate.DELIBERATED, "failure", request.failure)
        _check_recorded(recorded, Gate.DECIDED, "plan_hash", request.plan_hash)
        return recorded

    def _find_configuration(
        self, request: AuthorisationRequest, recorded: dict[Gate, AuditEntry]
    ) -> _Configuration:
        """Return our own limits and specification, those under which the incident began."""
        incident, began_at = request.incident, recorded[Gate.OPENED].at
        limits = self._sources.configuration.find_limits(incident.policy_hash, began_at=began_at)
        spec = self._sources.configuration.find_spec(
            incident.event.subject, compute_digest(incident.spec), began_at=began_at
        )
        return _Configuration(limits, spec)

    def _find_now(self, request: AuthorisationRequest) -> datetime:
        """Return the time that the policy is asked about; a backtest's stands still."""
        as_of = request.incident.as_of
        if self._replay and as_of is not None:
            return as_of
        if as_of is not None:
            msg = f"the incident is of a replay of {as_of}: only a backtest's own worker acts on it"
            raise Refused(msg)
        return self._clock()

    def _build_question(
        self,
        request: AuthorisationRequest,
        configuration: _Configuration,
        recorded: dict[Gate, AuditEntry],
        *,
        now: datetime,
    ) -> PolicyQuestion:
        """Ask the policy again, from what is sealed, recorded or read here and now."""
        self._check_seals(request, recorded)
        event = request.incident.event
        incident = request.incident.model_copy(
            update={
                "limits": configuration.limits,
                "spec": configuration.spec,
                "publisher": self._sources.publishers.find_publisher(event),
            }
        )
        model = incident.event.subject
        registry = RegistryFacts(
            champion=self._sources.registry.champion(model),
            versions=self._sources.registry.versions(model),
            last_action_at=self._sources.registry.last_action_at(model),
        )
        pack = compose_evidence(
            incident.event.data,
            registry,
            request.measured.metrics,
            request.recalled.documents,
            now=now,
        )
        case = Investigation(
            incident=incident,
            pack=pack,
            measured=request.measured,
            recalled=request.recalled,
            deliberation=request.deliberation,
            confidence=compute_confidence(request.deliberation, pack),
            failure=request.failure,
        )
        limits = configuration.limits
        query = build_usage_query(model, incident.event.id, limits=limits, now=now)
        usage = ModelUsage(
            ledger=self._sources.ledger.read(query), freeze=self._sources.registry.freeze(model)
        )
        return PolicyQuestion(
            plan=case.plan, facts=collect_facts(case, usage, now=now), limits=limits, now=now
        )

    def _reserve(self, question: PolicyQuestion, claims: GrantClaims) -> None:
        """Count the action before its effect; no two of them fit into the room for one."""

        def check(ledger: LedgerFacts) -> None:
            facts = question.facts.model_copy(update={"ledger": ledger})
            decision = decide(question.model_copy(update={"facts": facts}))
            if claims.authority.startswith(_BY_POLICY) and decision.verdict is not Verdict.EXECUTE:
                msg = f"the plan is no longer allowed: {decision.reason}"
                raise Refused(msg)

        plan, limits = question.plan, question.limits
        reservation = Reservation(
            incident=claims.event_id,
            model=plan.model,
            plan_hash=claims.plan_hash,
            action=plan.action,
            cost=max(plan.cost, Decimal(0)),
            currency=plan.currency,
            at=question.now,
            expires_at=claims.expires_at,
        )
        query = build_usage_query(plan.model, claims.event_id, limits=limits, now=question.now)
        self._sources.ledger.reserve(reservation, query, check=check)

    def _check_seals(self, request: AuthorisationRequest, recorded: dict[Gate, AuditEntry]) -> None:
        """Raise `Refused` unless our own workers measured, for this incident and its own time."""
        event, measured = request.incident.event, request.measured
        for record in (measured, request.recalled):
            if record.event_id != event.id or not self._sources.seal.check(record):
                msg = (
                    f"what is said to be measured for incident {event.id!r} bears no seal of "
                    f"ours for it ({type(record).__name__}): nothing is authorised on it"
                )
                raise Refused(msg)
        expected = request.incident.as_of or (recorded[Gate.OPENED].at - _MEASURED_BEFORE_OPENING)
        if measured.model != event.subject or measured.as_of < expected:
            msg = (
                f"the versions of {measured.model!r} were measured as of {measured.as_of}, and "
                f"the incident of {event.subject!r} began at {recorded[Gate.OPENED].at}"
            )
            raise Refused(msg)

    def _find_authority(
        self,
        decision: Decision,
        question: PolicyQuestion,
        request: AuthorisationRequest,
        recorded: dict[Gate, AuditEntry],
    ) -> str:
        """Return who allows the plan: the policy, if it answers as it did then, or a person."""
        if question.limits.is_shadow(question.plan.model):
            msg = f"{question.plan.model} is in shadow mode: nothing is executed, approved or not"
            raise Refused(msg)
        if question.facts.freeze is not None:
            msg = f"nothing may be changed: {question.facts.freeze}"
            raise Refused(msg)
        verdicts = {decision.verdict.value, str(recorded[Gate.DECIDED].detail.get("verdict"))}
        if verdicts == {Verdict.EXECUTE.value}:
            return f"{_BY_POLICY}{decision.rule}"
        if Verdict.MONITOR.value in verdicts:
            msg = f"the verdict is {decision.verdict} by {decision.rule}: nothing may be executed"
            raise Refused(msg)
        if recorded[Gate.DECIDED].detail.get("verdict") == Verdict.EXECUTE.value:
            msg = (
                f"the plan was to be executed, but here and now the policy answers "
                f"{decision.verdict}: {decision.reason}"
            )
            raise Refused(msg)
        approvers = self._find_approvers(decision, question, request, recorded)
        return f"person:{','.join(approvers)}"

    def _find_approvers(
        self,
        decision: Decision,
        question: PolicyQuestion,
        request: AuthorisationRequest,
        recorded: dict[Gate, AuditEntry],
    ) -> tuple[str, ...]:
        """Return who approved the plan; raise `Refused` unless enough listed people did."""
        asked = recorded.get(Gate.ASKED)
        if asked is None or asked.detail.get("plan_hash") != decision.plan_hash:
            msg = "the policy requires a person's approval, and nobody was asked about this plan"
            raise Refused(msg)
        event = request.incident.event
        spec = self._sources.configuration.find_spec(
            event.subject,
            compute_digest(request.incident.spec),
            began_at=recorded[Gate.OPENED].at,
        )
        terms = build_approval_terms(
            request.incident.model_copy(update={"spec": spec, "local_user": self._local_user}),
            question,
            decision,
            proposer=request.deliberation.analyst,
            asked_at=asked.at,
        )
        return check_approvals(request.answers, terms=terms, now=self._clock())


def _check_recorded(
    recorded: dict[Gate, AuditEntry], gate: Gate, name: str, presented: str
) -> None:
    entry = recorded.get(gate)
    known = entry.detail.get(name) if entry is not None else None
    if known != presented:
        msg = f"the audit chain holds {known!r} as {name} of {gate}, not {presented!r}"
        raise Refused(msg)


def _check_plan(request: AuthorisationRequest, decision: Decision) -> None:
    plan, event = request.deliberation.plan, request.incident.event
    if (plan.event_id, plan.model) != (event.id, event.subject):
        msg = (
            f"the plan is for event {plan.event_id!r} of {plan.model!r}, not for {event.id!r} "
            f"of {event.subject!r}"
        )
        raise Refused(msg)
    if decision.plan_hash != request.plan_hash:
        msg = f"plan {request.plan_hash:.12} was decided on, and it is {decision.plan_hash:.12}"
        raise Refused(msg)
    if plan.action is Action.MONITOR:
        msg = "the plan is to monitor: there is nothing to authorise"
        raise Refused(msg)
