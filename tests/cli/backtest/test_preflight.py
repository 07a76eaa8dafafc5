from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.init.test_init import run
from trimtab.cli.backtest.preflight import check_before_start
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import load_settings

PARKING = "birmingham-parking"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "local" / "models").mkdir(parents=True)
    return tmp_path


def faults_of(model: str = PARKING, *, home: Path, report: Path | None = None) -> str:
    with pytest.raises(BadConfigurationError) as caught:
        check_before_start(model, home=home, report=report)
    return str(caught.value)


def test_what_is_in_order_passes_and_folders_are_made(folder: Path) -> None:
    check_before_start(PARKING, home=folder / "home", report=folder / "a" / "b" / "r.json")

    assert (folder / "a" / "b").is_dir()
    assert list((folder / "home").iterdir()) == []


def test_a_report_that_cannot_be_written_is_an_error_before_anything_starts(folder: Path) -> None:
    (folder / "file").touch()

    fault = faults_of(home=folder / "home", report=folder / "file" / "r.json")

    assert f"folder {folder / 'file'}: " in fault
    assert "give --report another path" in fault


def test_a_home_that_cannot_be_written_is_reported_with_the_variable_that_moves_it(
    folder: Path,
) -> None:
    (folder / "file").touch()

    assert "set TRIMTAB_HOME" in faults_of(home=folder / "file" / "home")


def test_a_broken_policy_and_a_broken_model_are_reported_together(folder: Path) -> None:
    (folder / "conf" / "local" / "policy.yml").write_text("confidence_above: 7\n")
    (folder / "conf" / "local" / "models" / "x.yml").write_text("name: x\n")

    faults = faults_of(home=folder / "home")

    assert "confidence_above = 7" in faults
    assert "x.yml: target" in faults


def test_a_missing_column_is_reported_with_those_that_exist(folder: Path) -> None:
    times = pd.date_range("2026-01-01", periods=2000, freq="h")
    chance = np.random.default_rng(1)
    table = pd.DataFrame({"at": times, "x": chance.normal(size=2000), "y": chance.random(2000)})
    table.to_csv("t.csv", index=False)
    run("t", folder / "t.csv", "y", "at")
    table.drop(columns="y").to_csv("t.csv", index=False)

    assert "has no column y: correct the names; it has at, x" in faults_of(
        "t", home=folder / "home"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("home: [1\n", "correct the YAML there"),
        ("- a\n", "write `key: value` lines"),
        ("hom: x\n", "hom = 'x': there is no such field: did you mean home?"),
        ("analyst: {model: nonsense}\n", "write analyst/rules, ollama/<model> or gemini-<model>"),
    ],
)
def test_faulty_settings_are_reported_with_their_remedy(
    text: str, fault: str, folder: Path
) -> None:
    (folder / "conf" / "local" / "trimtab.yml").write_text(text)

    with pytest.raises(BadConfigurationError) as caught:
        load_settings()

    assert fault in str(caught.value)
    assert "trimtab.yml" in str(caught.value)
