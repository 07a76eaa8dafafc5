"""`trimtab audit` says whether the log is as it was written, and what it was compared with."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from tests.builders import NOW
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.adapters.audit.log_reading import locate_audit_file
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.cli.audit.command import app
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.runtime.settings import Settings

CLOSED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Deployment:
    """A home folder with a log, and a registry that recorded it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home
        self.log = JsonlAuditLog(
            self.home / "audit", key=load_audit_key(self.home / "keys" / "audit.key")
        )

    def close(
        self, incident: str = "event-1", *, recorded: bool = True, at: datetime = CLOSED_AT
    ) -> Path:
        entries = tuple(
            AuditEntry(
                incident=incident,
                model="parking",
                correlation_id="c-1",
                sequence=sequence,
                gate=gate,
                at=at + timedelta(seconds=sequence),
                actor="trimtab",
                detail={"cause": "label_shift", "drifted": ["Occupancy", "Capacity"]},
            )
            for sequence, gate in enumerate((Gate.OPENED, Gate.DECIDED, Gate.CLOSED))
        )
        tip = self.log.append(AuditAppend(entries=entries, tip=GENESIS)).tip
        if recorded:
            MlflowRegistry(settings=self.settings).record_incident(a_report(incident, tip))
        return self.home / "audit" / locate_audit_file("parking", incident)

    def run(self, *arguments: str) -> Result:
        runner = CliRunner(env={"COLUMNS": "200"})
        return runner.invoke(app, [*arguments, "--home", str(self.home)])


def a_report(incident: str, tip: str) -> IncidentReport:
    return IncidentReport(
        event_id=incident,
        model="parking",
        correlation_id="c-1",
        evidence=None,
        deliberation=None,
        confidence=None,
        decision=None,
        ending=Ending.MONITORED,
        published_at=NOW,
        decided_at=None,
        closed_at=NOW,
        audit_entries=3,
        audit_tip=tip,
    )


@pytest.fixture
def deployment(mlflow_settings: Settings) -> Deployment:
    return Deployment(mlflow_settings)


def test_a_log_that_is_as_it_was_written_verifies(deployment: Deployment) -> None:
    deployment.close()
    deployment.close("event-2")

    result = deployment.run("verify")

    assert result.exit_code == 0
    assert "incidents: 2, entries: 6, all as they were written." in result.stdout
    assert "Compared with the incidents recorded in sqlite:///" in result.stdout


def test_no_id_is_broken_on_a_narrow_terminal(deployment: Deployment) -> None:
    name = "2016-12-06T00:00Z-2589c2b3-of-a-detector-with-long-ids"
    deployment.close(name)

    result = CliRunner(env={"COLUMNS": "60"}).invoke(
        app, ["verify", "--home", str(deployment.home)]
    )

    assert name in result.stdout
    assert "valid" in result.stdout


def test_an_edit_is_reported_with_its_place_and_the_exit_code(deployment: Deployment) -> None:
    deployment.close()
    path = deployment.close("event-2")
    path.write_bytes(path.read_bytes().replace(b'"decided"', b'"answered"'))

    result = deployment.run("verify")

    assert result.exit_code == 1
    assert "sequence 1: the hash does not match" in result.stdout
    assert "not valid: 1." in result.stdout


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_lines_that_were_cut_off_are_missed(deployment: Deployment, keep: int) -> None:
    path = deployment.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:keep]))

    assert deployment.run("verify").exit_code == 1


def test_a_file_that_is_gone_is_missed(deployment: Deployment) -> None:
    deployment.close().unlink()

    result = deployment.run("verify")

    assert result.exit_code == 1
    assert "the file is gone; the registry recorded 3 entries" in result.stdout


def test_one_incident_may_be_verified_alone(deployment: Deployment) -> None:
    deployment.close()
    deployment.close("event-2").unlink()

    assert deployment.run("verify", "--incident", "event-1").exit_code == 0
    assert deployment.run("verify", "--incident", "event-2").exit_code == 1
    assert deployment.run("verify", "--incident", "event-3").exit_code == 1


def test_json_tells_programs_the_same(deployment: Deployment) -> None:
    deployment.close()
    deployment.close("event-2", recorded=False, at=datetime.now(UTC))

    result = deployment.run("verify", "--json")

    found: dict[str, Any] = json.loads(result.stdout)
    assert (found["valid"], result.exit_code) == (True, 0)
    assert found["compared_with"].startswith("sqlite:///")
    assert [one["incident"] for one in found["incidents"]] == ["event-1", "event-2"]
    assert [one["compared"] for one in found["incidents"]] == [True, False]


def test_incidents_that_nothing_outside_the_log_knows_are_counted(deployment: Deployment) -> None:
    deployment.close(recorded=False, at=datetime.now(UTC))

    result = deployment.run("verify")

    assert result.exit_code == 0
    assert "1 not recorded there" in result.stdout


def test_an_incident_that_was_closed_long_ago_must_be_known_outside_the_log(
    deployment: Deployment,
) -> None:
    deployment.close(recorded=False)

    result = deployment.run("verify")

    assert result.exit_code == 1
    assert "the registry recorded no such incident" in " ".join(result.stdout.split())


def test_an_empty_log_is_not_taken_for_a_valid_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    result = CliRunner().invoke(app, ["verify", "--home", str(tmp_path)])

    assert result.exit_code == 3
    assert "is empty: nothing to verify" in " ".join(result.stdout.split())
    assert "No model registry to compare with" in " ".join(result.stdout.split())
    assert list(tmp_path.iterdir()) == []


def test_an_empty_log_may_be_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    call = ["verify", "--home", str(tmp_path), "--allow-empty"]

    shown, printed = CliRunner().invoke(app, call), CliRunner().invoke(app, [*call, "--json"])

    assert (shown.exit_code, printed.exit_code) == (0, 0)
    assert "is empty" in shown.stdout
    assert json.loads(printed.stdout)["empty"] is True


def test_a_log_whose_files_are_all_gone_is_not_an_empty_one(deployment: Deployment) -> None:
    deployment.close().unlink()

    assert deployment.run("verify", "--allow-empty").exit_code == 1


def test_a_home_that_is_not_there_is_no_empty_log(tmp_path: Path) -> None:
    for command in (["verify"], ["show", "event-1"]):
        result = CliRunner().invoke(app, [*command, "--home", str(tmp_path / "none")])

        assert result.exit_code == 2
        assert "exist" in result.stderr


def test_a_log_without_its_key_does_not_verify_and_gets_no_new_one(deployment: Deployment) -> None:
    deployment.close()
    key = deployment.home / "keys" / "audit.key"
    key.unlink()

    result = deployment.run("verify")

    assert result.exit_code == 1
    assert "is missing" in result.stderr
    assert not key.exists()


def test_an_incident_is_shown_as_a_timeline(deployment: Deployment) -> None:
    deployment.close()

    result = deployment.run("show", "event-1")

    assert result.exit_code == 0
    assert "parking: incident event-1" in result.stdout
    assert "2026-11-23 12:00:02" in result.stdout
    assert "drifted: Occupancy, Capacity" in result.stdout


def test_a_broken_chain_is_shown_up_to_the_fault(deployment: Deployment) -> None:
    path = deployment.close()
    path.write_bytes(path.read_bytes()[:-10])

    result = deployment.run("show", "event-1")

    assert result.exit_code == 1
    assert "12:00:01" in result.stdout
    assert "12:00:02" not in result.stdout
    assert "torn" in result.stderr


def test_an_incident_that_is_not_there_is_no_timeline(deployment: Deployment) -> None:
    deployment.close()

    assert deployment.run("show", "event-9").exit_code == 1


def test_an_empty_log_has_nothing_to_show(deployment: Deployment) -> None:
    deployment.home.mkdir(exist_ok=True)

    result = deployment.run("show", "event-1")

    assert result.exit_code == 1
    assert "is empty" in result.stderr


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from trimtab.cli.audit.command import app\n"
        "loaded = {'mlflow', 'temporalio', 'pydantic'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=os.environ
    )

    assert done.returncode == 0, done.stderr


def promote(deployment: Deployment, version: str, *, key: str) -> None:
    """Make a version champion as an activity does, with nothing of it in the log."""
    registry = MlflowRegistry(settings=deployment.settings)
    registry._client.create_registered_model("parking")
    registry._client.create_model_version("parking", source=deployment.home.as_uri())
    registry.set_champion("parking", version, expected=None, key=key)


def test_a_champion_that_no_line_accounts_for_is_found_by_both_commands(
    deployment: Deployment,
) -> None:
    """Row 1: the registry was changed through an activity, and `audit verify` exited with 0."""
    deployment.close()
    assert deployment.run("reconcile").exit_code == 0
    promote(deployment, "1", key="f" * 64)

    for command in ("reconcile", "verify"):
        result = deployment.run(command)

        assert result.exit_code == 1
        assert "fault: parking: version 1 was made champion by the effect ffffffffffff" in (
            " ".join(result.stdout.split())
        )


def test_a_champion_of_somebody_elses_model_is_no_discrepancy(deployment: Deployment) -> None:
    deployment.close()
    client = MlflowRegistry(settings=deployment.settings)._client
    client.create_registered_model("somebody's @model")
    client.create_model_version("somebody's @model", source=deployment.home.as_uri())
    client.set_registered_model_alias("somebody's @model", "champion", "1")

    assert deployment.run("reconcile").exit_code == 0


def test_reconcile_shows_only_what_disagrees(deployment: Deployment) -> None:
    deployment.close()
    deployment.close("event-2").unlink()

    result = deployment.run("reconcile")

    assert result.exit_code == 1
    assert "event-2" in result.stdout
    assert "event-1" not in result.stdout


def test_json_names_every_discrepancy(deployment: Deployment) -> None:
    deployment.close()
    promote(deployment, "1", key="f" * 64)

    found: dict[str, Any] = json.loads(deployment.run("reconcile", "--json").stdout)

    assert found["valid"] is False
    assert [each["model"] for each in found["discrepancies"]] == ["parking"]
    assert found["temporal"] is None


def test_an_open_chain_that_is_gone_is_found_by_its_head(deployment: Deployment) -> None:
    path = deployment.close(recorded=False, at=datetime.now(UTC))
    path.unlink()
    deployment.close("event-2")

    result = deployment.run("verify")

    assert result.exit_code == 1
    assert "its file is gone: cut or replaced" in " ".join(result.stdout.split())


def test_a_folder_that_was_rolled_back_is_found_by_the_head_in_the_registry(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.close()
    folder = deployment.home / "audit"
    shutil.copytree(folder, tmp_path / "backup")
    deployment.close("event-2", recorded=False, at=datetime.now(UTC))
    registry = MlflowRegistry(settings=deployment.settings)
    registry.keep_audit_head(head := deployment.log.update_heads(at=NOW))
    assert registry.read_audit_head() == head
    assert deployment.run("verify").exit_code == 0

    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)

    assert deployment.run("verify").exit_code == 1
    assert "rolled back to a backup" in " ".join(deployment.run("reconcile").stdout.split())


def test_an_older_head_does_not_replace_a_newer_one(deployment: Deployment) -> None:
    deployment.close()
    registry = MlflowRegistry(settings=deployment.settings)
    older = deployment.log.update_heads(at=NOW)
    deployment.close("event-2")
    newer = deployment.log.update_heads(at=NOW)

    registry.keep_audit_head(newer)
    registry.keep_audit_head(older)

    assert registry.read_audit_head() == newer


def test_the_log_is_held_against_temporal_if_it_answers(
    deployment: Deployment, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", temporal_address)
    deployment.close(name := f"event-{uuid4().hex}")
    path = deployment.home / "audit" / locate_audit_file("parking", name)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))

    result = deployment.run("reconcile")

    said = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert f"Compared with the workflows of Temporal at {temporal_address}" in said
    assert "stuck at `decided` until the sweeper closes it" in said


def test_strange_files_do_not_stop_the_command(deployment: Deployment) -> None:
    """Row 18: `audit verify` died on a folder, and hung on a pipe."""
    deployment.close()
    folder = deployment.home / "audit"
    (folder / "folder.jsonl").mkdir()
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "dangling.jsonl").symlink_to(folder / "nowhere")
    (folder / "deep.jsonl").write_bytes(b"[" * 100_000 + b"\n")

    result = deployment.run("verify", "--json")

    found = {one["incident"]: one["fault"] for one in json.loads(result.stdout)["incidents"]}
    assert result.exit_code == 1
    assert "is a folder" in found["folder.jsonl"]
    assert "neither a file nor a folder" in found["pipe.jsonl"]
    assert "No such file" in found["dangling.jsonl"]
    assert "nested too deeply" in found["deep.jsonl"]
    assert found["event-1"] == ""
