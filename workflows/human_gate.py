"""Puts a question to a person, keeps the answers, and waits until one of them settles it.

Signals and updates are handled between any two awaits of `run`, also before the question is put and
after the incident is closed. So the handlers only record, and the state here decides what an answer
means at the time when it arrives.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.approval import ApprovalActivities
    from policies.approval import is_approval, judge_answer
    from trimtab.contracts.approval import Answer, ApprovalRequest, HumanDecision
    from trimtab.contracts.decision import Decision
    from workflows import options
    from workflows.failure import format_cause

_MAX_NOTE_LENGTH = 1000


class HumanGate:
    """State behind the signal and the update of one incident."""

    def __init__(self) -> None:
        self._early: list[tuple[HumanDecision, datetime]] = []
        self._plan_hash: str | None = None
        self._open_until: datetime | None = None
        self._answers: list[Answer] = []
        self._taken = 0
        self._closed = False

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer judged so far, oldest first."""
        return tuple(self._answers)

    @property
    def settling_answer(self) -> Answer | None:
        """The answer that settled the question, or None."""
        return next((answer for answer in self._answers if answer.accepted), None)

    @property
    def is_granted(self) -> bool:
        """Whether the plan was approved."""
        return self.settling_answer is not None and is_approval(self.settling_answer)

    def format_authority(self, decision: Decision) -> str:
        """Return who or what allows the plan: "person:<approver>" or "policy:<rule>"."""
        settling = self.settling_answer
        if settling is not None and settling.decision is not None:
            return f"person:{settling.decision.approver}"
        return f"policy:{decision.rule}"

    def take_new_answers(self) -> tuple[Answer, ...]:
        """Return the answers judged since the last call."""
        new = self.answers[self._taken :]
        self._taken += len(new)
        return new

    def open_question(self, plan_hash: str, *, open_until: datetime) -> None:
        """Open the question, and judge the answers that arrived before it.

        An answer can be early: a workflow that is reset gets its signals again before it asks. It
        counts if it names this plan's hash, so a person need not answer twice.
        """
        self._plan_hash, self._open_until = plan_hash, open_until
        early, self._early = self._early, []
        for decision, received_at in early:
            self.receive(decision, now=received_at)

    def receive(self, decision: HumanDecision, *, now: datetime) -> None:
        """Keep an answer; before the question is open it is not judged yet."""
        if self._is_unasked and not self._closed:
            self._early.append((decision, now))
        else:
            self._answers.append(self._judge(decision, now))

    def receive_unreadable(self, fault: str, *, now: datetime) -> None:
        """Record that a message arrived which cannot be read as an answer."""
        note = f"unreadable: {fault}"[:_MAX_NOTE_LENGTH]
        self._answers.append(Answer(decision=None, received_at=now, accepted=False, note=note))

    def close(self) -> None:
        """Close the gate; early answers to a question that was never put are recorded as such."""
        self._closed = True
        early, self._early = self._early, []
        for decision, received_at in early:
            note = "not asked: the incident ended without a question to a person"
            self._answers.append(
                Answer(decision=decision, received_at=received_at, accepted=False, note=note)
            )

    def explain_refusal(self, decision: HumanDecision, *, now: datetime) -> str:
        """Return why an answer would not be accepted now; empty if it would be.

        The update's validator calls this: it must not change any state, because a refused update
        leaves no trace in the history and is not there on a replay.
        """
        if self._is_unasked and not self._closed:
            return "no question is open: the incident is not waiting for a person"
        return self._judge(decision, now).note

    @property
    def _is_unasked(self) -> bool:
        return self._plan_hash is None or self._open_until is None

    def _judge(self, decision: HumanDecision, now: datetime) -> Answer:
        if self._closed or self._plan_hash is None or self._open_until is None:
            note = "late: the incident is closed"
            return Answer(decision=decision, received_at=now, accepted=False, note=note)
        return judge_answer(
            decision,
            plan_hash=self._plan_hash,
            settled=self.settling_answer is not None,
            open_until=self._open_until,
            now=now,
        )

    async def wait_for_answer(self, request: ApprovalRequest, *, remind_at: datetime) -> None:
        """Deliver the question, remind once, and return when it is settled or has expired."""
        await _notify(request)
        if not await self._wait_until(min(remind_at, request.deadline)):
            if workflow.now() < request.deadline:
                await _notify(request.model_copy(update={"reminder": True}))
            await self._wait_until(request.deadline)

    async def _wait_until(self, instant: datetime) -> bool:
        """Return whether the question was settled by that time.

        An answer may be handled in the same workflow task in which the timer fires. It is not lost:
        the caller reads the gate afterwards, and `judge_answer` compares its own time of arrival
        with the deadline.
        """
        left = max((instant - workflow.now()).total_seconds(), 0.0)
        try:
            await workflow.wait_condition(lambda: self.settling_answer is not None, timeout=left)
        except TimeoutError:
            return False
        return True


async def _notify(request: ApprovalRequest) -> None:
    """Deliver the page. A failure does not end the wait, because the page can be queried too."""
    kind = "reminder" if request.reminder else "question"
    try:
        await workflow.execute_activity_method(
            ApprovalActivities.notify_person,
            request,
            summary=f"{kind} to {request.owner or 'the person on call'}",
            **options.NOTIFY,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("approval_not_delivered", extra={"reason": format_cause(error)})
