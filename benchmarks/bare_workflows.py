"""Runs the peer that incidents are compared with: workflows whose activities do nothing.

As a program it is the worker of these workflows: `python bare_workflows.py HOST:PORT`.
"""

import asyncio
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

QUEUE: Final = "bare"
_TIMEOUT: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class ActivityCounts:
    """Number of activities of one incident."""

    activities: int
    local_activities: int


@activity.defn
async def do_nothing() -> None:
    """Return at once, so that only the cost of Temporal itself is measured."""


@workflow.defn(name="BareWorkflow")
class BareWorkflow:
    """As many activities as an incident has, one after the other."""

    @workflow.run
    async def run(self, counts: ActivityCounts) -> None:
        """Run the activities."""
        for _ in range(counts.activities):
            await workflow.execute_activity(do_nothing, start_to_close_timeout=_TIMEOUT)
        for _ in range(counts.local_activities):
            await workflow.execute_local_activity(do_nothing, start_to_close_timeout=_TIMEOUT)


class BareWorkflowTimer:
    """Starts bare workflows and times them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = itertools.count(1)

    async def time_one(self, counts: ActivityCounts) -> float:
        """Return the seconds from before the start of one workflow to its end."""
        started_at = datetime.now(UTC)
        return (await _await_end(await self._start(counts)) - started_at).total_seconds()

    async def time_burst(
        self, counts: ActivityCounts, number: int, *, on_end: Callable[[], None]
    ) -> float:
        """Return the seconds from before the first of `number` starts to the last end.

        `on_end` is called for each workflow that has ended.
        """
        started_at = last = datetime.now(UTC)
        for handle in await asyncio.gather(*(self._start(counts) for _ in range(number))):
            last = max(last, await _await_end(handle))
            on_end()
        return (last - started_at).total_seconds()

    async def _start(self, counts: ActivityCounts) -> WorkflowHandle[BareWorkflow, None]:
        return await self._client.start_workflow(
            BareWorkflow.run, counts, id=f"bare/{next(self._numbers)}", task_queue=QUEUE
        )


async def _await_end(handle: WorkflowHandle[BareWorkflow, None]) -> datetime:
    await handle.result()
    end = (await handle.describe()).close_time
    assert end is not None, "a workflow that has a result has ended"
    return end


async def serve_bare_workflows(address: str) -> None:
    """Run the worker until this process is ended."""
    client = await Client.connect(address)
    worker = Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[do_nothing])
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve_bare_workflows(sys.argv[1]))
