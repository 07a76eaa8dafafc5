"""Puts a question to a person, keeps the answers, and waits until one of them settles it.

Signals and updates are handled between any two awaits of `run`, also before the question is put and
after the incident is closed. So the handlers only record, and the state here decides what an answer
means at the time when it arrives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.approval import ApprovalActivities
    from policies.approval import (
        find_settling_answer,
        is_approval,
        judge_answer,
        list_approvals,
    )
    from trimtab.contracts.approval import Answer, ApprovalRequest, DecisionReceipt, HumanDecision
    from trimtab.contracts.approvers import ApprovalTerms
    from trimtab.contracts.decision import Decision
    from trimtab.contracts.notice import NoticeKind
    from workflows import options
    from workflows.failure import format_cause
    from workflows.notices import Notices

_MAX_NOTE_LENGTH: Final = 1000
_MAX_REFUSED: Final = 100
"""Answers without effect that are kept; of a flood of signals the rest is only counted."""
_MAX_REFUSED_REASON_LENGTH: Final = 200


class HumanGate:
    """State behind the signal and the update of one incident."""

    def __init__(self) -> None:
        self._early: list[tuple[HumanDecision, datetime]] = []
        self._terms: ApprovalTerms | None = None
        self._answers: list[Answer] = []
        self._taken = 0
        self._uncounted = 0
        self._sealed = False
        self._closed = False

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer judged so far, oldest first, but for the rest of a flood."""
        return tuple(self._answers)

    @property
    def has_new_answers(self) -> bool:
        """Whether answers were judged that `take_new_answers` has not returned."""
        return self._taken < len(self._answers)

    @property
    def uncounted(self) -> int:
        """Number of answers without effect that were not kept."""
        return self._uncounted

    @property
    def terms(self) -> ApprovalTerms | None:
        """What decides whether an answer counts; None before the question is open."""
        return self._terms

    @property
    def settling_answer(self) -> Answer | None:
        """The rejection, or the last of the approvals needed, or None."""
        return find_settling_answer(self._answers, self._terms) if self._terms else None

    @property
    def is_granted(self) -> bool:
        """Whether the plan was approved, and nobody rejected it."""
        return self.settling_answer is not None and is_approval(self.settling_answer)

    def format_authority(self, decision: Decision) -> str:
        """Return who or what allows the plan: "person:<approver>" or "policy:<rule>"."""
        people = [each.decision.approver for each in list_approvals(self._answers) if each.decision]
        return f"person:{','.join(people)}" if people else f"policy:{decision.rule}"

    def take_new_answers(self) -> tuple[Answer, ...]:
        """Return the answers judged since the last call."""
        new = self.answers[self._taken :]
        self._taken += len(new)
        return new

    def open_question(self, terms: ApprovalTerms) -> None:
        """Open the question, and judge the answers that arrived before it.

        An answer can be early: a workflow that is reset gets its signals again before it asks. It
        counts if it names this plan's hash, so a person need not answer twice.
        """
        self._terms = terms
        early, self._early = self._early, []
        for decision, received_at in early:
            self.receive(decision, now=received_at)

    def receive(self, decision: HumanDecision, *, now: datetime) -> None:
        """Keep an answer; before the question is open it is not judged yet."""
        if self._terms is None and not self._closed:
            if len(self._early) < _MAX_REFUSED:
                self._early.append((decision, now))
            else:
                self._uncounted += 1
        else:
            self._keep(self._judge(decision, now))

    def receive_unreadable(self, fault: str, *, now: datetime) -> None:
        """Record that a message arrived which cannot be read as an answer."""
        note = f"unreadable: {fault}"[:_MAX_NOTE_LENGTH]
        self._keep(Answer(decision=None, received_at=now, accepted=False, note=note))

    def close(self) -> None:
        """Close the gate; early answers to a question that was never put are recorded as such."""
        self._closed = True
        early, self._early = self._early, []
        for decision, received_at in early:
            note = "not asked: the incident ended without a question to a person"
            self._keep(
                Answer(decision=decision, received_at=received_at, accepted=False, note=note)
            )

    def explain_refusal(self, decision: HumanDecision, *, now: datetime) -> str:
        """Return why an answer would not be accepted now; empty if it would be.

        The update's validator calls this: it must not change any state, because a refused update
        leaves no trace in the history and is not there on a replay.
        """
        if self._terms is None and not self._closed:
            return "no question is open: the incident is not waiting for a person"
        return self._judge(decision, now).note

    def build_receipt(self) -> DecisionReceipt:
        """Return what the sender of an accepted answer is told."""
        terms = self._terms
        if terms is None or self.settling_answer is not None:
            return DecisionReceipt(accepted=True, note="the answer settles the question")
        given = len(list_approvals(self._answers))
        note = f"approval {given} of {terms.approvals_needed}: other people must approve too"
        return DecisionReceipt(accepted=True, note=note)

    def _judge(self, decision: HumanDecision, now: datetime) -> Answer:
        if self._closed or self._terms is None:
            note = "late: the incident is closed"
            return Answer(decision=decision, received_at=now, accepted=False, note=note)
        return judge_answer(
            decision, terms=self._terms, earlier=self._answers, now=now, sealed=self._sealed
        )

    def _keep(self, answer: Answer) -> None:
        """Keep an answer; of those without effect only the first hundred, without long reasons.

        Anyone with Temporal access can send thousands of long signals. What is kept goes into the
        audit log, the report and queries, which have limits.
        """
        if not answer.accepted:
            if sum(not each.accepted for each in self._answers) >= _MAX_REFUSED:
                self._uncounted += 1
                return
            answer = _shorten(answer)
        self._answers.append(answer)

    async def wait_for_answer(
        self,
        request: ApprovalRequest,
        *,
        remind_at: datetime,
        notices: Notices,
        record: Callable[[], Awaitable[None]],
    ) -> None:
        """Deliver the question, remind once, and return when it is settled or has expired.

        Answers that do not settle it are recorded at once: nobody knows whether more will come, or
        whether somebody terminates the incident before. From the end on a rejection stops nothing
        any more: the plan is carried out.
        """
        recording = asyncio.ensure_future(self._record_answers(record))
        try:
            await self._wait_for_settlement(request, remind_at=remind_at, notices=notices)
        except (Exception, asyncio.CancelledError):
            await _stop(recording)
            raise
        await _stop(recording)
        self._sealed = True

    async def _wait_for_settlement(
        self, request: ApprovalRequest, *, remind_at: datetime, notices: Notices
    ) -> None:
        notices.send_question(NoticeKind.ASKED, request)
        await _notify(request)
        for instant, kind in notices.plan_reminders(request, remind_at=remind_at):
            if await self._wait_until(min(instant, request.deadline)):
                break
            if workflow.now() < request.deadline:
                notices.send_question(kind, request)
                if kind is NoticeKind.REMINDER:
                    await _notify(request.model_copy(update={"reminder": True}))
        else:
            await self._wait_until(request.deadline)

    async def _record_answers(self, record: Callable[[], Awaitable[None]]) -> None:
        """Record answers as they come, until one of them settles the question."""
        while True:
            await workflow.wait_condition(lambda: self.has_new_answers)
            # Incidents that asked before this change recorded all answers at the end.
            if self.settling_answer is not None or not workflow.patched("answers-at-once"):
                return
            await record()

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


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end.

    Never call it in a `finally`: when a worker drops a workflow that waits, Python closes its
    coroutines by GeneratorExit, outside of the loop, and nothing can be awaited there.
    """
    task.cancel()
    await workflow.wait([task])


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


def _shorten(answer: Answer) -> Answer:
    decision = answer.decision
    if decision is None or len(decision.reason) <= _MAX_REFUSED_REASON_LENGTH:
        return answer
    shorter = f"{decision.reason[:_MAX_REFUSED_REASON_LENGTH]}…"
    return answer.model_copy(update={"decision": decision.model_copy(update={"reason": shorter})})
