"""Mints a grant for a plan that the policy, or a person, allows.

The mint believes nothing that it can derive; `activities.derivation` says what that is. What a
workflow decided counts only where it is the stricter one.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity

from activities.derivation import DerivedCase, MintSources, derive_case
from activities.errors import translate_errors
from activities.own_workflow import require_own_workflow
from policies.approval import build_approval_terms, check_approvals
from policies.decision import decide
from policies.ledger import build_usage_query
from trimtab.contracts import names
from trimtab.contracts.audit import Gate
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, Reservation
from trimtab.contracts.decision import PolicyQuestion, Verdict
from trimtab.contracts.ports import GrantMint, Refused
from trimtab.contracts.remediation import Action, GrantClaims, Step

STEPS_OF_ACTION: Final = {
    Action.RETRAIN: (Step.RETRAIN, Step.PROMOTE),
    Action.ROLL_BACK: (Step.ROLL_BACK,),
}
"""The steps of each action that change the registry."""
_BY_POLICY: Final = "policy:"
"""Prefix of the authority for a plan that the policy allows without a person."""


def _read_clock() -> datetime:
    return datetime.now(UTC)


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
        require_own_workflow({names.DRIFT_RESPONSE: workflow_id}, local=True)
        case = derive_case(self._sources, request, now=self._find_now(request))
        authority = self._find_authority(case, request)
        issued_at = self._clock()
        plan, decision = case.question.plan, case.decision
        claims = GrantClaims(
            event_id=event.id,
            model=plan.model,
            action=plan.action,
            plan_hash=decision.plan_hash,
            policy_hash=decision.policy_hash,
            champion_version=plan.champion_version,
            target_version=plan.target_version,
            steps=STEPS_OF_ACTION[plan.action],
            spec_hash=compute_digest(case.incident.spec),
            verification_margin=case.incident.limits.verification_margin,
            as_of=case.question.now,
            authority=authority,
            issued_at=issued_at,
            expires_at=issued_at + self._lifetime,
        )
        self._reserve(case.question, claims)
        return self._mint.mint(claims)

    def _find_now(self, request: AuthorisationRequest) -> datetime:
        """Return the time that the policy is asked about; a backtest's stands still."""
        as_of = request.incident.as_of
        if self._replay and as_of is not None:
            return as_of
        if as_of is not None:
            msg = f"the incident is of a replay of {as_of}: only a backtest's own worker acts on it"
            raise Refused(msg)
        return self._clock()

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
            cost=plan.cost,
            currency=plan.currency,
            at=question.now,
            expires_at=claims.expires_at,
        )
        query = build_usage_query(plan.model, claims.event_id, limits=limits, now=question.now)
        self._sources.ledger.reserve(reservation, query, check=check)

    def _find_authority(self, case: DerivedCase, request: AuthorisationRequest) -> str:
        """Return who allows the plan: the policy, if it answers as it did then, or a person."""
        decision, model = case.decision, case.question.plan.model
        if case.incident.limits.is_shadow(model):
            msg = f"{model} is in shadow mode: nothing is executed, approved or not"
            raise Refused(msg)
        if case.question.facts.freeze is not None:
            msg = f"nothing may be changed: {case.question.facts.freeze}"
            raise Refused(msg)
        decided = str(case.recorded[Gate.DECIDED].detail.get("verdict"))
        verdicts = {decision.verdict.value, decided}
        if verdicts == {Verdict.EXECUTE.value}:
            _check_first_plan(case)
            return f"{_BY_POLICY}{decision.rule}"
        if verdicts & {Verdict.MONITOR.value, Verdict.NOTIFY.value}:
            msg = f"the verdict is {decision.verdict} by {decision.rule}: nothing may be executed"
            raise Refused(msg)
        if decided == Verdict.EXECUTE.value:
            msg = (
                f"the plan was to be executed, but here and now the policy answers "
                f"{decision.verdict}: {decision.reason}"
            )
            raise Refused(msg)
        return f"person:{','.join(self._find_approvers(case, request))}"

    def _find_approvers(self, case: DerivedCase, request: AuthorisationRequest) -> tuple[str, ...]:
        """Return who approved the plan; raise `Refused` unless enough listed people did."""
        asked = case.recorded.get(Gate.ASKED)
        if asked is None or asked.detail.get("plan_hash") != case.decision.plan_hash:
            msg = "the policy requires a person's approval, and nobody was asked about this plan"
            raise Refused(msg)
        terms = build_approval_terms(
            case.incident.model_copy(update={"local_user": self._local_user}),
            case.question,
            case.decision,
            proposer=request.deliberation.analyst,
            asked_at=asked.at,
        )
        return check_approvals(request.answers, terms=terms, now=self._clock())


def _check_first_plan(case: DerivedCase) -> None:
    """Raise `Refused` if the incident has begun to act on another plan.

    What an incident itself has done counts neither in its budget nor in its cooldown. A workflow
    that is reset again and again, with other words of its analyst, would act once for each.
    """
    granted = case.recorded.get(Gate.AUTHORISED)
    if granted is None or Gate.INTENDED not in case.recorded:
        return
    if granted.detail.get("plan_hash") != case.decision.plan_hash:
        msg = (
            f"the incident has acted on plan {granted.detail.get('plan_hash')!s:.12} already: "
            "another plan needs a person's approval, or another incident"
        )
        raise Refused(msg)
