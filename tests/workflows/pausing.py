"""Pipelines that stop at one point, so that somebody can act on the workflow meanwhile."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from temporalio.client import WorkflowHandle

from tests.fakes import FakePipelines, FakeRegistry
from tests.workflows.world import BETTER

Handle = WorkflowHandle[Any, Any]


class Waiting(FakePipelines):
    """Waits at one pipeline or slice, forever or until the test lets it go on."""

    def __init__(self, registry: FakeRegistry, at: str, *, until_released: bool = False) -> None:
        super().__init__(registry, BETTER)
        self.at, self.until_released = at, until_released
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self.stopped = False

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if self.at in (pipeline, params.get("slice")):
            self.reached.set()
            try:
                await asyncio.wait_for(self.go_on.wait(), 60)
            except asyncio.CancelledError:
                self.stopped = True
                raise
        return await super().run(pipeline, params)

    async def cancel(self, handle: Handle) -> None:
        await self.reached.wait()
        await handle.cancel()
        if self.until_released:
            await cancel_to_be_requested(handle)
            self.go_on.set()


async def cancel_to_be_requested(handle: Handle) -> None:
    """Until the workflow has asked its activity to stop."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("activity_task_cancel_requested_event_attributes"):
            return
