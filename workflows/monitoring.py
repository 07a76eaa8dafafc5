"""Watches one model: run by a Temporal Schedule, each run judges the windows that have come due.

The newest window is judged when it ends. Where labels come late, the newest window that has all of
its labels is judged in the same run, once more, for what the champion really did there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from activities.monitoring import MonitoringActivities
    from trimtab.contracts import names
    from trimtab.contracts.monitoring import (
        MonitoringInput,
        MonitoringReport,
        WindowAnswer,
        WindowOrder,
    )
    from workflows import options

SCHEDULED_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Which of its times a schedule started a run for: later, when it had to catch up."""


@workflow.defn(name=names.MONITORING)
class MonitoringWorkflow:
    """One run of a model's schedule."""

    @workflow.run
    async def run(self, request: MonitoringInput) -> MonitoringReport:
        """Judge each window that is due, the newest first."""
        workflow.upsert_search_attributes([options.MODEL.value_set(request.spec.name)])
        answers: list[WindowAnswer] = []
        for order in orders(request, at=_scheduled_at()):
            answers.append(await self._judge(order))
            self._show(answers)
        return MonitoringReport(model=request.spec.name, windows=tuple(answers))

    async def _judge(self, order: WindowOrder) -> WindowAnswer:
        return await workflow.execute_activity_method(
            MonitoringActivities.judge_window,
            order,
            summary=f"{order.model}: {order}",
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **options.MONITOR,
        )

    def _show(self, answers: list[WindowAnswer]) -> None:
        """For whoever looks at the run in the Web UI, or for runs that announced something."""
        workflow.set_current_details("\n".join(f"- {_told(answer)}" for answer in answers))
        found = [answer.severity for answer in answers if answer.announced and answer.severity]
        if found:
            gravest = max(found, key=lambda severity: severity.rank)
            workflow.upsert_search_attributes([options.SEVERITY.value_set(gravest.value)])


def orders(request: MonitoringInput, *, at: datetime) -> Iterator[WindowOrder]:
    """The windows that are due: the newest, and the newest one whose labels are all known."""
    spec, end = request.spec, request.window_end(at)
    for delay in sorted({timedelta(0), spec.label_delay}):
        yield WindowOrder(
            model=spec.name, start=end - delay - spec.window, end=end - delay, as_of=end
        )


def _scheduled_at() -> datetime:
    info = workflow.info()
    return info.typed_search_attributes.get(SCHEDULED_AT) or info.start_time


def _told(answer: WindowAnswer) -> str:
    event = f" Event `{answer.event_id}`." if answer.event_id else ""
    span = f"{answer.start:%Y-%m-%d %H:%M} to {answer.end:%Y-%m-%d %H:%M}"
    return f"{span}, {answer.rows} rows: {answer.note}.{event}"
