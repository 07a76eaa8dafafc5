"""Mints a grant for a plan that the policy, or a person, allows.

It believes nothing that it can derive: it asks the policy again, here, where the private key is. A
grant for the policy's own verdict is minted only while that verdict still holds; a grant for a
person's approval only for the very plan that the person approved.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import translate_errors
from policies.decision import decide
from trimtab.contracts.approval import Answer, Choice
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.decision import Decision, PolicyQuestion, Verdict
from trimtab.contracts.ports import GrantMint, Refused
from trimtab.contracts.remediation import Action, GrantClaims


def _read_clock() -> datetime:
    return datetime.now(UTC)


class AuthorisationActivities:
    """Activities over the mint; only workers that hold the private key run them."""

    def __init__(
        self,
        *,
        mint: GrantMint,
        lifetime: timedelta,
        replay: bool = False,
        clock: Callable[[], datetime] = _read_clock,
    ) -> None:
        self._mint = mint
        self._lifetime = lifetime
        self._replay = replay
        """Whether a backtest replays the past: set by this process's own configuration."""
        self._clock = clock

    @activity.defn
    @translate_errors
    def authorise(self, request: AuthorisationRequest) -> str:
        """Return a signed grant for the plan in question; raise `Refused` if there is none."""
        decision = _decide_again(request)
        plan = request.question.plan
        authority = self._find_authority(decision, request)
        now = self._clock()
        return self._mint.mint(
            GrantClaims(
                event_id=request.event_id,
                model=plan.model,
                action=plan.action,
                plan_hash=decision.plan_hash,
                policy_hash=decision.policy_hash,
                champion_version=plan.champion_version,
                target_version=plan.target_version,
                authority=authority,
                issued_at=now,
                expires_at=now + self._lifetime,
            )
        )

    def _find_authority(self, decision: Decision, request: AuthorisationRequest) -> str:
        if decision.verdict is Verdict.EXECUTE:
            self._check_still_allowed(request.question)
            return f"policy:{decision.rule}"
        if decision.verdict is Verdict.ESCALATE:
            return f"person:{_find_approver(request.answer, decision.plan_hash)}"
        msg = f"the verdict is {decision.verdict} by {decision.rule}: nothing may be executed"
        raise Refused(msg)

    def _check_still_allowed(self, question: PolicyQuestion) -> None:
        """Raise `Refused` if the plan is no longer allowed; a backtest's time stands still."""
        if self._replay:
            return
        later = decide(question.model_copy(update={"now": self._clock()}))
        if later.verdict is not Verdict.EXECUTE:
            msg = f"the plan was allowed at {question.now} but no longer is: {later.reason}"
            raise Refused(msg)


def _decide_again(request: AuthorisationRequest) -> Decision:
    """Return the policy's own decision; raise `Refused` unless it is the one presented."""
    question = request.question
    plan = question.plan
    if plan.event_id != request.event_id:
        msg = f"the plan is for event {plan.event_id!r}, not {request.event_id!r}"
        raise Refused(msg)
    if plan.action is Action.MONITOR:
        msg = "the plan is to monitor: there is nothing to authorise"
        raise Refused(msg)
    decision = decide(question)
    presented = request.decision
    if _without_reasons(decision) != _without_reasons(presented):
        msg = (
            f"the decision presented ({_format_decision(presented)}) "
            f"is not the policy's answer ({_format_decision(decision)})"
        )
        raise Refused(msg)
    return decision


def _without_reasons(decision: Decision) -> Decision:
    """Return the decision without its sentences.

    They are written for people, and a newer release may word them differently. An incident that
    was decided before an upgrade and approved after it must still be authorised.
    """
    results = tuple(result.model_copy(update={"reason": ""}) for result in decision.results)
    return decision.model_copy(update={"reason": "", "results": results})


def _format_decision(decision: Decision) -> str:
    return (
        f"{decision.verdict} by {decision.rule}, plan {decision.plan_hash:.12}, "
        f"policy {decision.policy_hash:.12}"
    )


def _find_approver(answer: Answer | None, plan_hash: str) -> str:
    """Return who approved that plan; raise `Refused` unless somebody did."""
    if answer is None or answer.decision is None:
        msg = "the policy requires a person's approval, and no answer was received"
        raise Refused(msg)
    given = answer.decision
    if not answer.accepted or given.decision is not Choice.APPROVE:
        msg = f"{given.approver} did not approve: {given.decision}, {answer.note or 'accepted'}"
        raise Refused(msg)
    if given.plan_hash != plan_hash:
        msg = f"{given.approver} approved plan {given.plan_hash:.12}, not {plan_hash:.12}"
        raise Refused(msg)
    return given.approver
