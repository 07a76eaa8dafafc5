"""`trimtab train`, as it is typed, on the car parks."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.deployment import PARKING, Run
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.cli.app import app
from trimtab.runtime.settings import Settings


def test_the_first_champion_is_trained_and_registered(
    mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))

    done = CliRunner().invoke(app, ["train", PARKING])

    assert done.exit_code == 0, done.output
    assert f"Champion of {PARKING}: version 1, r2 0.9" in done.output
    assert "2016-10-04 to 2016-10-25" in done.output
    champion = MlflowRegistry(settings=mlflow_settings).champion(PARKING)
    assert champion is not None
    assert champion.version == "1"


def test_a_champion_that_serves_is_never_replaced(
    parking: Run, trained_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(trained_home))

    done = CliRunner().invoke(app, ["train", PARKING])

    assert done.exit_code == 1
    assert "has a champion" in done.stderr
    assert "version 1" in done.stderr


def test_a_model_that_is_not_configured_has_none() -> None:
    done = CliRunner().invoke(app, ["train", "no-such-model"])

    assert done.exit_code == 2
    assert "no-such-model" in done.stderr
