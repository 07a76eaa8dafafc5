"""A worker that is killed at every single line of the audit log loses no incident."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from tests.architecture.sources import ROOT
from tests.builders import an_event, an_incident
from tests.chaos.dying_worker import KEY, KeptRegistry
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.audit_verification import verify
from trimtab.contracts import names
from trimtab.contracts.audit import Gate
from trimtab.contracts.incident import Ending
from workflows.drift_response import DriftResponseWorkflow

TASK_TIMEOUT = timedelta(seconds=1)
"""Time after which the server gives a dead worker's task to another one."""


@asynccontextmanager
async def restarted_worker(address: str, folder: Path, when: str) -> AsyncIterator[list[int]]:
    """Keep a dying worker going; yield how each one ended."""
    command = [sys.executable, "-m", "tests.chaos.dying_worker", address, str(folder), when]
    ends: list[int] = []

    async def keep_going() -> None:
        while True:
            worker = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stderr=subprocess.DEVNULL
            )
            try:
                ends.append(await worker.wait())
            except asyncio.CancelledError:
                worker.kill()
                await worker.wait()
                raise

    keeping = asyncio.create_task(keep_going())
    try:
        yield ends
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_at_every_line_loses_nothing(
    temporal_address: str, temporal_client: Client, tmp_path: Path, when: str
) -> None:
    """Row 6: six of six incidents were dead after a kill right behind a line on disk."""
    event = an_event(f"event-{uuid4().hex[:8]}")
    async with restarted_worker(temporal_address, tmp_path, when) as ends:
        handle = await temporal_client.start_workflow(
            DriftResponseWorkflow.run,
            an_incident(event),
            id=names.build_drift_response_id(event.subject, event.id),
            task_queue=names.MAIN_QUEUE,
            task_timeout=TASK_TIMEOUT,
        )
        async with asyncio.timeout(240):
            report = await handle.result()

    registry = KeptRegistry(tmp_path / "registry.json")
    lines = JsonlAuditLog(tmp_path / "audit", key=KEY).lines(event.id)
    (status,) = verify(tmp_path / "audit", key=KEY)
    assert report.ending is Ending.REMEDIATED
    assert [tuple(move) for move in registry.moves] == [("1", "2")]
    assert registry.known == ["1", "2"]
    assert (status.valid, status.closed) == (True, True)
    assert (report.audit_entries, report.audit_tip) == (len(lines), lines[-1].hash)
    assert Gate.CONFLICT not in [line.entry.gate for line in lines]
    assert len(ends) >= 7
    assert set(ends) == {-signal.SIGKILL}
