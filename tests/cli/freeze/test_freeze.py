"""`trimtab freeze` and `thaw` change the registry that the workers read; `doctor` shows it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.cli.app import app
from trimtab.cli.doctor.freeze_checks import check_freeze_of_all, check_freeze_of_model
from trimtab.runtime.settings import Settings


@pytest.fixture
def settings(mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    open_tracking(mlflow_settings).create_registered_model("parking")
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))
    return mlflow_settings


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, [*arguments], catch_exceptions=False)


def test_every_model_is_frozen_until_it_is_thawed(settings: Settings) -> None:
    registry = MlflowRegistry(settings=settings)

    frozen = run("freeze", "--reason", "an outage\x1b[2J of the warehouse")

    assert frozen.exit_code == 0
    found = registry.freeze("parking")
    assert found is not None
    assert found.reason == "an outage [2J of the warehouse"
    assert found.by
    (note,) = check_freeze_of_all(settings)
    assert "every model is frozen" in note.found
    thawed = run("thaw")
    assert "Ended: every model is frozen" in thawed.stdout
    assert registry.freeze("parking") is None
    assert list(check_freeze_of_all(settings)) == []
    assert "nothing to end" in run("thaw").stdout


def test_one_model_is_frozen_until_it_is_thawed(settings: Settings) -> None:
    registry = MlflowRegistry(settings=settings)

    assert run("freeze", "parking").exit_code == 0

    assert registry.freeze("parking") is not None
    (note,) = check_freeze_of_model("parking", settings)
    assert "thaw parking" in note.remedy
    run("freeze")
    assert "Still in force: every model is frozen" in run("thaw", "parking").stdout
    assert list(check_freeze_of_model("parking", settings)) == []


def test_people_are_told_and_a_target_that_fails_stops_no_freeze(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "told"
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "policy.yml").write_text(
        "notify:\n"
        f"  pager: {{command: [sh, -c, 'cat >> {out}']}}\n"
        "  silent: {apprise_env: NO_SUCH_VARIABLE}\n"
    )
    monkeypatch.chdir(tmp_path)

    frozen = run("freeze", "parking", "--reason", "an outage")
    thawed = run("thaw", "parking")

    assert (frozen.exit_code, thawed.exit_code) == (0, 0)
    assert "Not told: notify.silent: the environment variable" in frozen.stdout
    assert "worker" not in frozen.stdout.partition("No worker changes anything")[0]
    assert "notice_sent" not in frozen.output
    notices = [json.loads(line) for line in out.read_text().splitlines()]
    assert [each["title"] for each in notices] == [
        "parking is frozen",
        "parking is no longer frozen",
    ]
    assert "an outage" in notices[0]["text"]
    assert len({each["id"] for each in notices}) == 2


@pytest.mark.parametrize("command", ["freeze", "thaw"])
def test_an_unknown_model_is_refused(settings: Settings, command: str) -> None:
    result = run(command, "parkign")

    assert result.exit_code == 1
    assert "the registry has no model 'parkign'" in result.stderr


def test_without_a_registry_nothing_is_made(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TRIMTAB_HOME", f"{tmp_path}/none")

    result = run("freeze")

    assert result.exit_code == 1
    assert "no model registry" in result.stderr
