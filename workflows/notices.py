"""Sends notices to the policy's targets beside the incident's own steps.

Each target has an activity of its own, so that one that fails is tried again alone. None of them
can stop or delay a step of the incident: they run beside it, and what fails is logged.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.approval import ApprovalActivities
    from policies.notices import (
        build_closing_notice,
        build_page_mark,
        build_question_notice,
        choose_closing_kind,
        list_targets,
    )
    from trimtab.contracts.approval import ApprovalRequest
    from trimtab.contracts.incident import IncidentInput, IncidentReport
    from trimtab.contracts.notice import Notice, NoticeDelivery, NoticeKind, PageMark
    from workflows import options
    from workflows.failure import format_cause

PEOPLE_PATCH = "people-answer"
"""Change of the workflow's commands: terms of approval, notices and marked pages."""


class Notices:
    """The notices of one incident that are on their way."""

    def __init__(self, incident: IncidentInput) -> None:
        self._incident = incident
        self._running: list[asyncio.Task[None]] = []

    def send_question(self, kind: NoticeKind, request: ApprovalRequest) -> None:
        """Start to send a notice about an open question to every target that wants it."""
        if self._list_targets(kind) and workflow.patched(PEOPLE_PATCH):
            self._send(build_question_notice(kind, request, self._incident, at=workflow.now()))

    def plan_reminders(
        self, request: ApprovalRequest, *, remind_at: datetime
    ) -> list[tuple[datetime, NoticeKind]]:
        """Return when an open question is told of again, and to which rank, in order of time."""
        planned = [(remind_at, NoticeKind.REMINDER)]
        if self._list_targets(NoticeKind.LAST_CALL) and workflow.patched(PEOPLE_PATCH):
            last_call = request.deadline - self._incident.limits.last_call_before
            planned.append((max(last_call, request.asked_at), NoticeKind.LAST_CALL))
        return sorted(planned, key=lambda each: each[0])

    def send_closing(self, report: IncidentReport, *, workflow_id: str, was_asked: bool) -> None:
        """Start to send how the incident ended, and to mark the page of its question."""
        kind = choose_closing_kind(report, was_asked=was_asked)
        targets = self._list_targets(kind) if kind else ()
        if not (targets or was_asked) or not workflow.patched(PEOPLE_PATCH):
            return
        if was_asked:
            mark = PageMark(workflow_id=workflow_id, mark=build_page_mark(report))
            self._start(self._mark_page(mark))
        if kind:
            self._send(build_closing_notice(kind, report, workflow_id=workflow_id))

    async def finish(self) -> None:
        """Wait until every notice was delivered or given up."""
        if self._running:
            await workflow.wait(self._running)

    def _list_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        return list_targets(kind, self._incident.limits, self._incident.spec)

    def _send(self, notice: Notice) -> None:
        for target in self._list_targets(notice.kind):
            self._start(_deliver(NoticeDelivery(target=target, notice=notice)))

    def _start(self, delivery: Coroutine[Any, Any, None]) -> None:
        self._running.append(asyncio.ensure_future(delivery))

    async def _mark_page(self, mark: PageMark) -> None:
        try:
            await workflow.execute_activity_method(
                ApprovalActivities.mark_page,
                mark,
                summary="mark the page of the question",
                **options.NOTIFY,
            )
        except ActivityError as error:
            workflow.logger.warning("page_not_marked", extra={"reason": format_cause(error)})


async def tell_people(notice: Notice) -> None:
    """Send a notice that is about no open incident, and return when it was sent or given up."""
    try:
        targets = await workflow.execute_activity_method(
            ApprovalActivities.find_targets,
            notice.kind,
            summary=f"who is told: {notice.kind}",
            **options.READ,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("notice_not_delivered", extra={"reason": format_cause(error)})
        return
    deliveries = [_deliver(NoticeDelivery(target=each, notice=notice)) for each in targets]
    await asyncio.gather(*deliveries)


async def _deliver(delivery: NoticeDelivery) -> None:
    try:
        await workflow.execute_activity_method(
            ApprovalActivities.send_notice,
            delivery,
            summary=f"{delivery.notice.kind} to {delivery.target}",
            **options.SEND_NOTICE,
        )
    except ActivityError as error:
        workflow.logger.warning(
            "notice_not_delivered",
            extra={
                "target": delivery.target,
                "kind": delivery.notice.kind.value,
                "reason": format_cause(error),
            },
        )
