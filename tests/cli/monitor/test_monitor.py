"""`trimtab monitor`, as it is typed, on the car parks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.deployment import PARKING, Run
from trimtab.cli.app import app
from trimtab.runtime.paths import local_conf, shipped_conf
from trimtab.runtime.settings import Settings

Monitor = Callable[..., Result]
Stream = Callable[[], list[bytes]]

BAD = "2016-12-12/2016-12-19"
GOOD = "2016-11-01"


@pytest.fixture
def monitor(
    trained_database: Path, parking: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Monitor:
    """In an MLflow in which no other test has announced anything."""
    home = tmp_path / "own"
    home.mkdir()
    shutil.copy(trained_database, home / "mlflow.db")
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "140")
    return lambda *words: CliRunner().invoke(app, ["monitor", *words])


def test_it_shows_each_column_and_publishes_nothing_unless_asked(
    monitor: Monitor, stream: Stream
) -> None:
    looked = monitor(PARKING, "--window", BAD)
    published = monitor(PARKING, "--window", BAD, "--publish")
    later = "2016-12-12T01:00/2016-12-19T01:00"
    again = monitor(PARKING, "--window", later, "--publish")
    shown = monitor(PARKING, "--window", later)

    assert (looked.exit_code, published.exit_code) == (1, 1), looked.output
    for word in ("Occupancy", "SystemCodeNumber", "r2", "degraded", "Nothing was published"):
        assert word in looked.output
    assert "was published" in published.output
    for each in (again, shown):
        assert "Not published, recorded in MLflow: the same drift was announced" in each.output
    assert len(stream()) == 1


def test_a_calm_window_ends_with_zero(monitor: Monitor, stream: Stream) -> None:
    calm = monitor(PARKING, "--window", GOOD)

    assert calm.exit_code == 0, calm.output
    assert "No drift" in calm.output
    assert "Capacity" in calm.output


def test_a_window_with_too_few_rows_ends_with_three(monitor: Monitor, stream: Stream) -> None:
    empty = monitor(PARKING, "--window", "2016-11-02T22:00/2016-11-03T05:00")

    assert empty.exit_code == 3, empty.output
    assert "minimum_rows" in empty.output


def test_the_page_shows_both_distributions(
    monitor: Monitor, stream: Stream, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"

    monitor(PARKING, "--window", "last", "--html", str(page))

    text = page.read_text()
    assert "<svg" in text
    assert "Occupancy" in text
    assert "2016-12-13" in text


@pytest.mark.parametrize(
    "words",
    [("no-such-model",), (PARKING, "--window", "gestern"), (PARKING, "--window", "2017/2016")],
)
def test_bad_input_ends_with_two(monitor: Monitor, words: tuple[str, ...]) -> None:
    assert monitor(*words).exit_code == 2


def test_without_a_champion_it_says_how_to_get_one(
    monitor: Monitor, mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))
    monkeypatch.chdir(mlflow_settings.home)
    shipped = shipped_conf() / "base" / "models" / f"{PARKING}.yml"
    own = local_conf() / "models" / "parking.yml"
    own.parent.mkdir(parents=True)
    own.write_text(shipped.read_text().replace(f"name: {PARKING}", "name: parking"))

    done = monitor("parking", "--window", GOOD)

    assert done.exit_code == 2
    assert "trimtab train parking" in done.stderr


def test_the_demos_model_is_never_proposed_for_training(
    monitor: Monitor, mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))

    done = monitor(PARKING, "--window", GOOD)

    assert done.exit_code == 2
    assert "it is the demo's model" in done.stderr
    assert "trimtab train" not in done.stderr


def test_a_folder_for_the_page_that_is_missing_is_an_error_before_anything_runs(
    monitor: Monitor, tmp_path: Path
) -> None:
    done = monitor(PARKING, "--html", str(tmp_path / "none" / "page.html"))

    assert done.exit_code == 2
    assert f"there is no folder {tmp_path / 'none'}: create it first" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_stream_that_is_away_is_not_drift(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_REDIS__URL", "redis://127.0.0.1:1")

    assert monitor(PARKING, "--window", BAD, "--publish").exit_code == 69
