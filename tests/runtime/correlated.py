"""A workflow, its child and their activities, which log and know of no correlation id."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

SOON = timedelta(seconds=10)


@activity.defn
def note_in_thread() -> None:
    activity.logger.warning("sync activity")


@activity.defn
async def note() -> None:
    activity.logger.warning("async activity")


@workflow.defn(name="CorrelatedChild")
class CorrelatedChild:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("child")
        await workflow.execute_local_activity(note, start_to_close_timeout=SOON)


@workflow.defn(name="Correlated")
class Correlated:
    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("workflow")
        await asyncio.gather(
            workflow.execute_activity(note_in_thread, start_to_close_timeout=SOON),
            workflow.execute_activity(note, start_to_close_timeout=SOON),
        )
        await workflow.execute_child_workflow(
            CorrelatedChild.run, id=f"{workflow.info().workflow_id}/child"
        )
        await workflow.wait_condition(lambda: self._told)

    @workflow.signal
    def tell(self) -> None:
        workflow.logger.warning("signal")
        self._told = True

    @workflow.query
    def ask(self) -> bool:
        workflow.logger.warning("query")
        return self._told

    @workflow.update
    def change(self) -> None:
        workflow.logger.warning("update")
