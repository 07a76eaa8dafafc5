"""Mints a grant for a plan that the policy, or a person, allows: believes nothing it can derive.

The policy is asked again, here, where the private key is. A grant for the policy's own verdict is
minted only while that verdict still holds; one for a person's approval only for the very plan
that the person approved.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import translated
from policies.decision import decide
from trimtab.contracts.approval import Answer, Choice
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.decision import Decision, PolicyQuestion, Verdict
from trimtab.contracts.ports import GrantMint, Refused
from trimtab.contracts.remediation import Action, GrantClaims


def _now() -> datetime:
    return datetime.now(UTC)


class AuthorisationActivities:
    """Activities over the mint; where they run, the private key is."""

    def __init__(
        self,
        *,
        mint: GrantMint,
        lifetime: timedelta,
        replay: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._mint = mint
        self._lifetime = lifetime
        self._replay = replay
        """Whether questions are of a past that is replayed: this process's own configuration."""
        self._clock = clock

    @activity.defn
    @translated
    def authorise(self, request: AuthorisationRequest) -> str:
        """A signed grant for the plan in question, or nothing."""
        decision = _ask_again(request)
        plan = request.question.plan
        authority = self._authority(decision, request)
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

    def _authority(self, decision: Decision, request: AuthorisationRequest) -> str:
        if decision.verdict is Verdict.EXECUTE:
            self._expect_still_allowed(request.question)
            return f"policy:{decision.rule}"
        if decision.verdict is Verdict.ESCALATE:
            return f"person:{_approver(request.answer, decision.plan_hash)}"
        msg = f"the verdict is {decision.verdict} by {decision.rule}: nothing may be executed"
        raise Refused(msg)

    def _expect_still_allowed(self, question: PolicyQuestion) -> None:
        """The time has moved on since; a backtest asks about a past instant and stays there."""
        if self._replay:
            return
        now = self._clock()
        later = decide(question.plan, question.facts, question.limits, now=now)
        if later.verdict is not Verdict.EXECUTE:
            msg = f"the plan was allowed at {question.now} but no longer is: {later.reason}"
            raise Refused(msg)


def _ask_again(request: AuthorisationRequest) -> Decision:
    """The policy's answer, found anew; raises `Refused` unless it is the one presented."""
    question = request.question
    plan = question.plan
    if plan.event_id != request.event_id:
        msg = f"the plan is for event {plan.event_id!r}, not {request.event_id!r}"
        raise Refused(msg)
    if plan.action is Action.MONITOR:
        msg = "the plan is to monitor: there is nothing to authorise"
        raise Refused(msg)
    decision = decide(plan, question.facts, question.limits, now=question.now)
    presented = request.decision
    if decision != presented:
        msg = (
            f"the decision presented ({_told(presented)}) "
            f"is not what the policy answers ({_told(decision)})"
        )
        raise Refused(msg)
    return decision


def _told(decision: Decision) -> str:
    return (
        f"{decision.verdict} by {decision.rule}, plan {decision.plan_hash:.12}, "
        f"policy {decision.policy_hash:.12}"
    )


def _approver(answer: Answer | None, plan_hash: str) -> str:
    """Who approved that very plan; raises `Refused` when nobody did."""
    if answer is None or answer.decision is None:
        msg = "the policy asks for a person, and nobody has answered"
        raise Refused(msg)
    said = answer.decision
    if not answer.accepted or said.decision is not Choice.APPROVE:
        msg = f"{said.approver} did not approve: {said.decision}, {answer.note or 'accepted'}"
        raise Refused(msg)
    if said.plan_hash != plan_hash:
        msg = f"{said.approver} approved plan {said.plan_hash:.12}, not {plan_hash:.12}"
        raise Refused(msg)
    return said.approver
