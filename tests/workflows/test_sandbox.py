"""Workflows share what is deterministic, keep the sandbox, and may be slow on a busy machine."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from policies.approval_signature import format_public_key, is_signed_by, sign_decision
    from trimtab.contracts.approval import Choice, HumanDecision

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


@workflow.defn
class Verifying:
    """Verifies an answer that somebody else signed."""

    @workflow.run
    async def run(self) -> bool:
        listed, other = (Ed25519PrivateKey.from_private_bytes(each * 32) for each in (b"a", b"b"))
        answer = HumanDecision(plan_hash="0" * 64, approver="ada", decision=Choice.APPROVE)
        signed = sign_decision(
            answer, incident="event-1", model="parking", key=other, signed_at=workflow.now()
        )
        keys = [format_public_key(listed)]
        return is_signed_by(signed, keys, incident="event-1", model="parking")


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


async def test_a_wrong_signature_does_not_end_the_worker(temporal: Client) -> None:
    """A real worker aborts here if `cryptography` is not passed through the sandbox."""
    assert await run(temporal, Verifying) is False
