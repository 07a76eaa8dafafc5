"""`trimtab doctor` names incidents without a workflow, and those whose work keeps failing."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.waiting import until
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.cli.doctor.check_result import CheckResult, CheckState
from trimtab.cli.doctor.incident_checks import check_failing_work, check_incidents
from trimtab.contracts import names
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.temporal import connect_temporal


def a_deployment(home: Path, temporal: str | None = None, *gates: Gate) -> Settings:
    """Return the settings of a home whose log holds one incident with these gates."""
    log = JsonlAuditLog(home / "audit", key=load_audit_key(home / "keys" / "audit.key"))
    name = f"event-{uuid4().hex}"
    entries = tuple(
        AuditEntry(
            incident=name,
            model="parking",
            correlation_id=name,
            sequence=number,
            gate=gate,
            at=datetime.now(UTC) - timedelta(hours=1),
            actor="trimtab",
            detail={},
        )
        for number, gate in enumerate(gates)
    )
    log.append(AuditAppend(entries=entries, tip=GENESIS))
    return load_settings(home=home, temporal={"address": temporal})


def result(settings: Settings) -> CheckResult:
    (found,) = check_incidents(settings)
    return found


def test_a_deployment_without_a_log_has_nothing_to_check(tmp_path: Path) -> None:
    assert list(check_incidents(load_settings(home=tmp_path))) == []


def test_closed_incidents_are_fine_without_temporal(tmp_path: Path) -> None:
    settings = a_deployment(tmp_path, None, Gate.OPENED, Gate.CLOSED)

    assert result(settings).state is CheckState.FINE


def test_an_open_incident_without_a_workflow_is_stuck(
    tmp_path: Path, temporal_address: str
) -> None:
    found = result(a_deployment(tmp_path, temporal_address, Gate.OPENED, Gate.ASKED))

    assert found.state is CheckState.FAULT
    assert "of parking (at `asked`)" in found.found
    assert "audit reconcile" in found.remedy


def test_without_temporal_an_open_incident_is_worth_a_note(tmp_path: Path) -> None:
    found = result(a_deployment(tmp_path, "127.0.0.1:9", Gate.OPENED))

    assert found.state is CheckState.NOTE
    assert "1 are open" in found.found


@workflow.defn(name=names.DRIFT_RESPONSE)
class _BrokenWorkflow:
    @workflow.run
    async def run(self) -> None:
        msg = "a bug"
        raise RuntimeError(msg)


async def test_an_incident_whose_work_fails_again_and_again_is_named(temporal_address: str) -> None:
    settings = load_settings(temporal={"address": temporal_address})
    client = await connect_temporal(settings)
    event = f"event-{uuid4().hex}"
    found: list[CheckResult] = []

    async def is_named() -> bool:
        found[:] = await asyncio.to_thread(lambda: list(check_failing_work(settings)))
        return any(event in each.found for each in found)

    async with Worker(
        client,
        task_queue=event,
        workflows=[_BrokenWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow(
            names.DRIFT_RESPONSE,
            id=names.build_drift_response_id("parking", event),
            task_queue=event,
        )
        await until(is_named)
        await handle.terminate()

    (named,) = (each for each in found if event in each.found)
    assert named.state is CheckState.FAULT
    assert "its workflow task has failed" in named.found
    assert "incidents --stuck" in named.remedy


def test_without_temporal_failing_work_is_left_to_the_check_of_temporal() -> None:
    settings = load_settings(temporal={"address": "127.0.0.1:9"})

    assert list(check_failing_work(settings)) == []
