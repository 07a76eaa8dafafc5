"""Puts a question to a person, keeps what people answer, and waits until one answer settles it."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.approval import ApprovalActivities
    from policies.approval import approved, judge_answer
    from trimtab.contracts.approval import Answer, ApprovalRequest, HumanDecision
    from trimtab.contracts.decision import Decision
    from workflows import options
    from workflows.failure import reason


class HumanGate:
    """The state behind the signal and the update of one incident."""

    def __init__(self) -> None:
        self._early: list[tuple[HumanDecision, datetime]] = []
        self._plan_hash: str | None = None
        self._open_until: datetime | None = None
        self._answers: list[Answer] = []
        self._handed_out = 0
        self._closed = False

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer judged so far, oldest first."""
        return tuple(self._answers)

    @property
    def settling(self) -> Answer | None:
        """The answer that settled the question, or None."""
        return next((answer for answer in self._answers if answer.accepted), None)

    @property
    def granted(self) -> bool:
        """Whether the plan was approved."""
        return self.settling is not None and approved(self.settling)

    def authority(self, decision: Decision) -> str:
        """By whose word the plan is carried out."""
        if self.settling is not None and self.settling.decision is not None:
            return f"person:{self.settling.decision.approver}"
        return f"policy:{decision.rule}"

    def fresh(self) -> tuple[Answer, ...]:
        """The answers judged since this was last asked."""
        new = self.answers[self._handed_out :]
        self._handed_out += len(new)
        return new

    def put(self, plan_hash: str, *, open_until: datetime) -> None:
        """Open the question; answers that came before it are judged now."""
        self._plan_hash, self._open_until = plan_hash, open_until
        early, self._early = self._early, []
        for decision, received_at in early:
            self.receive(decision, now=received_at)

    def receive(self, decision: HumanDecision, *, now: datetime) -> None:
        """Keep an answer; before the question is put it is held back unjudged."""
        if self._unasked and not self._closed:
            self._early.append((decision, now))
        else:
            self._answers.append(self._judged(decision, now))

    def receive_unreadable(self, fault: str, *, now: datetime) -> None:
        """Keep the fact that something came which is no answer."""
        note = f"unreadable: {fault}"[:1000]
        self._answers.append(Answer(decision=None, received_at=now, accepted=False, note=note))

    def close(self) -> None:
        """The incident ends: what came early without a question is told as that."""
        self._closed = True
        early, self._early = self._early, []
        for decision, received_at in early:
            note = "not asked: the incident ended without a question to a person"
            self._answers.append(
                Answer(decision=decision, received_at=received_at, accepted=False, note=note)
            )

    def refusal(self, decision: HumanDecision, *, now: datetime) -> str:
        """Why an answer could not be accepted now; empty when it could."""
        if self._unasked and not self._closed:
            return "no question is open: the incident does not wait for a person"
        return self._judged(decision, now).note

    @property
    def _unasked(self) -> bool:
        return self._plan_hash is None or self._open_until is None

    def _judged(self, decision: HumanDecision, now: datetime) -> Answer:
        if self._closed or self._plan_hash is None or self._open_until is None:
            note = "late: the incident is closed"
            return Answer(decision=decision, received_at=now, accepted=False, note=note)
        return judge_answer(
            decision,
            plan_hash=self._plan_hash,
            settled=self.settling is not None,
            open_until=self._open_until,
            now=now,
        )

    async def wait(self, request: ApprovalRequest, *, remind_at: datetime) -> None:
        """Deliver the question, remind once, and return when it is settled or has expired."""
        await _notify(request)
        if not await self._settled_by(min(remind_at, request.deadline)):
            if workflow.now() < request.deadline:
                await _notify(request.model_copy(update={"reminder": True}))
            await self._settled_by(request.deadline)

    async def _settled_by(self, instant: datetime) -> bool:
        left = max((instant - workflow.now()).total_seconds(), 0.0)
        try:
            await workflow.wait_condition(lambda: self.settling is not None, timeout=left)
        except TimeoutError:
            return False
        return True


async def _notify(request: ApprovalRequest) -> None:
    """Deliver the page; a failure is no reason not to wait, for the question can be queried."""
    what = "reminder" if request.reminder else "question"
    try:
        await workflow.execute_activity_method(
            ApprovalActivities.notify_person,
            request,
            summary=f"{what} to {request.owner or 'the person on call'}",
            **options.NOTIFY,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("approval_not_delivered", extra={"reason": reason(error)})
