"""Workflows share what is deterministic, keep the sandbox, and may be slow on a busy machine."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from workflows.registration import build_workflow_runner, extend_deadlock_timeout

pytestmark = pytest.mark.asyncio(loop_scope="session")


@workflow.defn(sandboxed=True)
class Slow:
    """Keeps its thread for longer than the SDK likes."""

    @workflow.run
    async def run(self) -> str:
        with workflow.unsafe.sandbox_unrestricted():
            time.sleep(2.5)  # noqa: ASYNC251 - as a busy machine does
        return "done"


@workflow.defn(failure_exception_types=[Exception])
class Curious:
    """Asks the clock, which the sandbox forbids."""

    @workflow.run
    async def run(self) -> float:
        return time.time()


async def run(client: Client, kind: type) -> object:
    queue = f"sandbox-{uuid4()}"
    worker = Worker(
        client, task_queue=queue, workflows=[kind], workflow_runner=build_workflow_runner()
    )
    extend_deadlock_timeout(worker)
    async with worker:
        return await client.execute_workflow(
            kind.__name__, id=queue, task_queue=queue, execution_timeout=timedelta(seconds=60)
        )


async def test_a_task_that_waits_for_a_processor_is_no_deadlock(
    temporal: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert await run(temporal, Slow) == "done"
    assert "TMPRL1101" not in caplog.text


async def test_workflows_keep_the_restrictions_of_the_sandbox(temporal: Client) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await run(temporal, Curious)

    assert "time.time" in str(failed.value.cause)
