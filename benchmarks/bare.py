"""The peer that incidents are timed beside: a workflow whose activities do nothing.

Run as a program it is the peer's own worker: `python bare.py HOST:PORT`.
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
class Shape:
    """How much of Temporal one incident uses."""

    activities: int
    local_activities: int


@activity.defn
async def nothing() -> None:
    """Costs only what Temporal costs."""


@workflow.defn(name="BareWorkflow")
class BareWorkflow:
    """As many activities as an incident has, one after the other."""

    @workflow.run
    async def run(self, shape: Shape) -> None:
        """All of them."""
        for _ in range(shape.activities):
            await workflow.execute_activity(nothing, start_to_close_timeout=_TIMEOUT)
        for _ in range(shape.local_activities):
            await workflow.execute_local_activity(nothing, start_to_close_timeout=_TIMEOUT)


class Peer:
    """Starts bare workflows and times them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = itertools.count(1)

    async def one(self, shape: Shape) -> float:
        """Seconds from before its start to its end."""
        started_at = datetime.now(UTC)
        return (await _end_of(await self._start(shape)) - started_at).total_seconds()

    async def burst(self, shape: Shape, count: int, *, told: Callable[[], None]) -> float:
        """Seconds from before the first start to the last end; `told` is called for each."""
        started_at = last = datetime.now(UTC)
        for handle in await asyncio.gather(*(self._start(shape) for _ in range(count))):
            last = max(last, await _end_of(handle))
            told()
        return (last - started_at).total_seconds()

    async def _start(self, shape: Shape) -> WorkflowHandle[BareWorkflow, None]:
        return await self._client.start_workflow(
            BareWorkflow.run, shape, id=f"bare/{next(self._numbers)}", task_queue=QUEUE
        )


async def _end_of(handle: WorkflowHandle[BareWorkflow, None]) -> datetime:
    await handle.result()
    end = (await handle.describe()).close_time
    assert end is not None  # noqa: S101 - it has a result
    return end


async def serve(address: str) -> None:
    """Work until this process is ended."""
    client = await Client.connect(address)
    worker = Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[nothing])
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
