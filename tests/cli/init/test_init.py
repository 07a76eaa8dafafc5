import gzip
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.detection.sample_tables import (
    make_churn_table,
    make_hourly_table,
    make_species_table,
    make_wide_table,
)
from trimtab.cli.app import app
from trimtab.contracts.model import Task
from trimtab.pipelines.catalog import build_catalog
from trimtab.pipelines.inspection.timeline import cut_windows
from trimtab.pipelines.requests import Request
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.paths import SHIPPED

PARKING = SHIPPED / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, outside the checkout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def run(name: str, data: Path, target: str, timestamp: str, *more: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    arguments = [
        "init",
        name,
        "--data",
        str(data),
        "--target",
        target,
        "--timestamp",
        timestamp,
        *more,
    ]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


def uncommented(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and "# " not in line]


def history(model: str) -> pd.DataFrame:
    """The table as the pipelines load it."""
    table: pd.DataFrame = build_catalog({"model": model}).load("history")
    return table


def test_the_car_parks_are_configured_as_a_person_would(folder: Path) -> None:
    code, output = run("parking", PARKING, "Occupancy", "LastUpdated")

    spec = load_model_spec("parking")
    assert code == 0, output
    assert spec.task is Task.REGRESSION
    assert [feature.name for feature in spec.features] == ["SystemCodeNumber", "Capacity"]
    assert (spec.window.days, spec.reference_windows, spec.target_minimum) == (7, 3, 0)
    assert output.index("trimtab doctor") < output.index("trimtab backtest parking")
    assert "12 rows have a target below 0" in output


def test_every_line_has_a_comment(folder: Path) -> None:
    make_wide_table().to_parquet("wide.parquet")

    code, output = run("wide", folder / "wide.parquet", "price", "at")

    assert code == 0, output
    for file in ("models/wide.yml", "catalog_wide.yml"):
        assert uncommented((folder / "conf" / "local" / file).read_text()) == []


def test_columns_of_any_name_get_valid_names(folder: Path) -> None:
    names = {"load": "load (kW)", "when": "time [UTC]", "temperature": "temp °C"}
    make_hourly_table().rename(columns=names).to_csv("t.csv", index=False)

    code, output = run("load", folder / "t.csv", "load (kW)", "time [UTC]")

    spec = load_model_spec("load")
    assert code == 0, output
    assert (spec.target, spec.timestamp) == ("load kW", "time UTC")
    assert [feature.name for feature in spec.features] == ["temp C"]
    assert "'load (kW)' is called 'load kW' here" in output
    assert set(history("load")) == {"load kW", "time UTC", "temp C"}


def test_predictions_in_the_table_are_recognised_and_no_features(folder: Path) -> None:
    table = make_hourly_table()
    table.assign(predicted_load=table["load"] + 1.0).to_csv("t.csv", index=False)

    code, output = run("load", folder / "t.csv", "load", "when")

    spec = load_model_spec("load")
    assert code == 0, output
    assert spec.prediction == "predicted_load"
    assert [feature.name for feature in spec.features] == ["temperature"]
    assert "Predictions are read from predicted_load" in output


def test_the_monitoring_settings_are_in_the_file(folder: Path) -> None:
    make_churn_table().to_csv("churn.csv", index=False)

    run("churn", folder / "churn.csv", "left", "day")

    text = (folder / "conf" / "local" / "models" / "churn.yml").read_text()
    spec = load_model_spec("churn")
    for key in ("prediction:", "segments:", "reference:", "season:", "sensitivity:", "  psi:",
                "false_alarms_per_year:", "announcement_cooldown:"):  # fmt: skip
        assert f"\n{key}" in text
    assert spec.segments == ("autopay", "plan")
    assert spec.prediction is None


def test_the_pipelines_load_the_very_table_from_any_file_path(folder: Path) -> None:
    make_churn_table().to_csv("churn.csv", index=False)

    run("churn", Path("churn.csv"), "left", "day")

    assert len(history("churn")) == 20_000


@pytest.mark.parametrize(
    ("table", "target", "timestamp", "file", "task"),
    [
        (make_hourly_table(), "load", "when", "t.csv", Task.REGRESSION),
        (make_churn_table(), "left", "day", "t.csv.gz", Task.CLASSIFICATION),
        (make_species_table(), "kind", "ts", "t.parquet", Task.CLASSIFICATION),
        (make_wide_table(), "price", "at", "t.parquet", Task.REGRESSION),
        (make_wide_table().drop(columns=["tags"]), "price", "at", "t.csv", Task.REGRESSION),
    ],
)
def test_tables_of_every_kind_are_configured_as_proposed(
    table: pd.DataFrame, target: str, timestamp: str, file: str, task: Task, folder: Path
) -> None:
    if file.endswith("parquet"):
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False)

    code, output = run("sales of EU shops", folder / file, target, timestamp)

    assert code == 0, output
    spec = load_model_spec("sales of EU shops")
    assert spec.task is task
    assert len(history(spec.name)) == len(table)
    assert "trimtab backtest 'sales of EU shops'" in output


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2020-01-01", periods=3000, freq="h"),
        pd.date_range("2020-01-01", periods=3000, freq="D"),
        pd.date_range("2020-01-01 13:12:11", periods=3000, freq="s"),
        pd.date_range("2015-01-01", periods=40, freq="MS").repeat(75),
        pd.date_range("2015-01-31", periods=8, freq="YE").repeat(400),
        pd.date_range("2015-01-01", periods=4, freq="YS").repeat(750),
    ],
)
def test_a_replay_finds_the_windows_that_were_announced(
    times: pd.DatetimeIndex, folder: Path
) -> None:
    chance = np.random.default_rng(8)
    columns = {"t": times, "x": chance.normal(size=len(times)), "y": chance.normal(size=len(times))}
    pd.DataFrame(columns).to_csv("t.csv", index=False)

    code, output = run("t", folder / "t.csv", "y", "t")

    spec = load_model_spec("t")
    cut = cut_windows(history("t"), spec, Request(model="t"))["windows"]
    assert code == 0, output
    assert isinstance(cut, list)
    to_replay = len(cut) - spec.reference_windows
    assert f"{spec.reference_windows} to train on, {to_replay} to replay" in output
    assert to_replay >= 2


def test_a_million_rows_take_seconds(folder: Path) -> None:
    chance = np.random.default_rng(9)
    rows = 1_000_000
    table = pd.DataFrame({f"x{number}": chance.normal(size=rows) for number in range(8)})
    table["shop"] = chance.choice([f"shop {number}" for number in range(40)], rows)
    table["receipt"] = np.arange(rows).astype(str)
    table["sold"] = (table["x0"] * 3 + chance.normal(size=rows)).round(2)
    table["at"] = pd.date_range("2023-01-01", periods=rows, freq="20s")
    table.to_parquet("big.parquet")
    begun = time.monotonic()

    code, output = run("big", folder / "big.parquet", "sold", "at")

    assert code == 0, output
    assert time.monotonic() - begun < 30
    assert list(load_model_spec("big").ignored) == ["receipt"]


def test_nothing_is_overwritten_unless_forced(folder: Path) -> None:
    run("parking", PARKING, "Occupancy", "LastUpdated")
    model = folder / "conf" / "local" / "models" / "parking.yml"
    model.write_text("mine")

    refused, output = run("parking", PARKING, "Occupancy", "LastUpdated")
    kept = model.read_text()
    forced, _ = run("parking", PARKING, "Occupancy", "LastUpdated", "--force")

    assert (refused, kept) == (2, "mine")
    assert "parking.yml: exists" in output
    assert "--force" in output
    assert forced == 0
    assert load_model_spec("parking").target == "Occupancy"


def test_a_shipped_model_is_not_shadowed_by_accident() -> None:
    code, output = run("birmingham-parking", PARKING, "Occupancy", "LastUpdated")

    assert code == 2
    assert "exists: choose another name" in output


@pytest.mark.parametrize(
    "name", ["", "a\nb", "team/parking", "team:parking", "café (new)", "x" * 129, " parking"]
)
def test_a_name_that_no_registry_would_take_is_refused(name: str, folder: Path) -> None:
    code, output = run(name, PARKING, "Occupancy", "LastUpdated")

    assert code == 2
    assert "a model's name may hold" in output
    assert not (folder / "conf").exists()


def test_an_unknown_column_is_answered_with_what_there_is(folder: Path) -> None:
    code, output = run("parking", PARKING, "Ocupancy", "LastUpdate")

    assert code == 2
    assert "did you mean 'Occupancy'?" in output
    assert "did you mean 'LastUpdated'?" in output
    assert not (folder / "conf").exists()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\xff\xfe", b"PAR1 is no table"])
def test_a_file_that_is_no_table_is_refused(content: bytes, folder: Path) -> None:
    for file in (folder / "t.csv", folder / "t.parquet"):
        file.write_bytes(content)

        code, output = run("parking", file, "a", "b")

        assert code in {1, 2}
        assert "Traceback" not in output
        assert str(file.name) in output


def test_a_broken_gzip_is_refused(folder: Path) -> None:
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    (folder / "t.csv.gz").write_bytes(whole[: len(whole) // 2])

    code, output = run("parking", folder / "t.csv.gz", "a", "b")

    assert code in {1, 2}, output
    assert "t.csv.gz" in output


def test_a_missing_file_is_refused() -> None:
    code, output = run("parking", Path("nowhere.csv"), "a", "b")

    assert code == 2
    assert "nowhere.csv" in output


def test_text_of_the_table_cannot_break_the_file_or_the_terminal(folder: Path) -> None:
    table = make_churn_table()
    table["plan"] = table["plan"].map(
        {"basic": "[/red] # x", "plus": "a: b\n- c", "pro": "\x1b[31m"}
    )
    table["left"] = table["left"].map({"yes": "[bold]yes", "no": "${oc.env:HOME}"})
    table["null\n: ["] = table["tenure"]
    table["no"] = table["tenure"] + 1
    table["{x}"] = 1
    (folder / "a ${b} {c}").mkdir()
    file = folder / "a ${b} {c}" / "t #1.parquet"
    table.to_parquet(file)

    code, output = run("churn", file, "left", "day")

    spec = load_model_spec("churn")
    assert code == 0, output
    assert "\x1b[31m" not in output
    assert {"no", "null :"} <= {feature.name for feature in spec.features}
    assert len(history("churn")) == 20_000
