"""`trimtab doctor` names incidents that are open while no workflow of them runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.cli.doctor.check_result import CheckResult, CheckState
from trimtab.cli.doctor.incident_checks import check_incidents
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.runtime.settings import Settings, load_settings


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
