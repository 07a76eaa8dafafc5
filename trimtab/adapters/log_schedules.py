"""Makes the Temporal Schedules of the sweep, and of the reconciliation of the audit log."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from trimtab.contracts import names
from trimtab.runtime.settings_sections import AuditSettings

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_CATCH_UP: Final = timedelta(seconds=10)
"""An outage is made up for by the next run, not by all those that it prevented."""


@dataclass(frozen=True)
class LogSchedule:
    """A schedule: its id, which the ids of its runs begin with, and the workflow it starts."""

    id: str
    workflow: str
    summary: str


SWEEP_SCHEDULE: Final = LogSchedule(
    names.SWEEP_ID, names.SWEEP, "close incidents whose workflow is gone"
)
RECONCILIATION_SCHEDULE: Final = LogSchedule(
    names.RECONCILIATION_ID,
    names.RECONCILIATION,
    "hold the audit log against the registry and Temporal",
)


async def ensure_log_schedules(client: Client, settings: AuditSettings) -> None:
    """Make both schedules, or give them their intervals; a paused one stays paused.

    Raises:
        RPCError: Temporal does not answer, or does not allow it.
    """
    await ensure_schedule(client, SWEEP_SCHEDULE, every=settings.sweep_every)
    await ensure_schedule(client, RECONCILIATION_SCHEDULE, every=settings.reconcile_every)


async def ensure_schedule(client: Client, wanted: LogSchedule, *, every: timedelta) -> None:
    """Make one schedule, or give it its interval; a paused one stays paused."""
    schedule = _build_schedule(wanted, every)
    try:
        await client.create_schedule(wanted.id, schedule, rpc_timeout=_RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(wanted.id)
        found = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
        if [each.every for each in found.schedule.spec.intervals] == [every]:
            return

        def change(current: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule.state = current.description.schedule.state
            return ScheduleUpdate(schedule=schedule)

        await handle.update(change, rpc_timeout=_RPC_TIMEOUT)


def _build_schedule(wanted: LogSchedule, every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            wanted.workflow,
            id=wanted.id,
            task_queue=names.MAIN_QUEUE,
            static_summary=wanted.summary,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
    )
