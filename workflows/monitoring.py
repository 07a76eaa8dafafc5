"""Monitors one model: a Temporal Schedule starts it, and each run judges the windows that are due.

The newest window is judged when it ends. If labels arrive late, the newest window that has all of
its labels is judged again in the same run, for the champion's real performance in it.
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

SCHEDULED_AT_KEY: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""The time for which a schedule started a run; earlier than the run's start if it caught up."""


@workflow.defn(name=names.MONITORING)
class MonitoringWorkflow:
    """One run of a model's schedule."""

    @workflow.run
    async def run(self, request: MonitoringInput) -> MonitoringReport:
        """Judge each window that is due, the newest first."""
        workflow.upsert_search_attributes([options.MODEL_KEY.value_set(request.spec.name)])
        answers: list[WindowAnswer] = []
        for order in list_due_windows(request, at=_read_scheduled_time()):
            answers.append(await self._judge(order))
            self._show(answers)
        return MonitoringReport(model=request.spec.name, windows=tuple(answers))

    async def _judge(self, order: WindowOrder) -> WindowAnswer:
        return await workflow.execute_activity_method(
            MonitoringActivities.judge_window,
            order,
            summary=f"{order.model}: {order}",
            # A cancelled run ends only after the pipeline's process, so that the next run is alone.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **options.MONITOR,
        )

    def _show(self, answers: list[WindowAnswer]) -> None:
        """Show the answers in the Web UI, and make runs that announced drift searchable."""
        workflow.set_current_details("\n".join(f"- {_format_answer(answer)}" for answer in answers))
        announced = [answer.severity for answer in answers if answer.announced and answer.severity]
        if announced:
            highest = max(announced, key=lambda severity: severity.rank)
            workflow.upsert_search_attributes([options.SEVERITY_KEY.value_set(highest.value)])


def list_due_windows(request: MonitoringInput, *, at: datetime) -> Iterator[WindowOrder]:
    """Yield the newest window, and the newest one whose labels are all known by `at`."""
    spec, end = request.spec, request.window_end(at)
    for delay in sorted({timedelta(0), spec.label_delay}):
        yield WindowOrder(
            model=spec.name, start=end - delay - spec.window, end=end - delay, as_of=end
        )


def _read_scheduled_time() -> datetime:
    """Return the time for which the run was scheduled.

    The server sets the search attribute before the workflow starts, so a replay finds the same
    time. A run that a person starts has none.
    """
    info = workflow.info()
    return info.typed_search_attributes.get(SCHEDULED_AT_KEY) or info.start_time


def _format_answer(answer: WindowAnswer) -> str:
    event = f" Event `{answer.event_id}`." if answer.event_id else ""
    window = f"{answer.start:%Y-%m-%d %H:%M} to {answer.end:%Y-%m-%d %H:%M}"
    return f"{window}, {answer.rows} rows: {answer.note}.{event}"
