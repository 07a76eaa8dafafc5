"""Makes the Temporal Schedule that looks for incidents whose workflow is gone."""

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

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_CATCH_UP: Final = timedelta(seconds=10)
"""An outage is made up for by the next run, not by all those that it prevented."""


async def ensure_sweep_schedule(client: Client, *, every: timedelta) -> None:
    """Make the schedule, or give it its interval; a paused one stays paused.

    Raises:
        RPCError: Temporal does not answer, or does not allow it.
    """
    wanted = _build_schedule(every)
    try:
        await client.create_schedule(names.SWEEP_ID, wanted, rpc_timeout=_RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(names.SWEEP_ID)
        found = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
        if [each.every for each in found.schedule.spec.intervals] == [every]:
            return

        def change(current: ScheduleUpdateInput) -> ScheduleUpdate:
            wanted.state = current.description.schedule.state
            return ScheduleUpdate(schedule=wanted)

        await handle.update(change, rpc_timeout=_RPC_TIMEOUT)


def _build_schedule(every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.SWEEP,
            id=names.SWEEP_ID,
            task_queue=names.MAIN_QUEUE,
            static_summary="close incidents whose workflow is gone",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
    )
