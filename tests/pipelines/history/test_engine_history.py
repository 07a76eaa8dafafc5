"""A history in an engine gives the same results as the same history in a file."""

from pathlib import Path

import duckdb
import pytest

from tests.deployment import PARKING, Run
from trimtab.cli.doctor.model_checks import check_model
from trimtab.pipelines.history import remote
from trimtab.runtime.paths import SHIPPED

WINDOW = {"start": "2016-11-01T00:00:00Z", "end": "2016-11-08T00:00:00Z"}
CATALOG = """
birmingham-parking:
  type: ibis.TableDataset
  table_name: parking
  connection: {backend: duckdb, database: warehouse.db, read_only: true}
"""
EVALUATION = {"versions": ["1"], "as_of": WINDOW["end"], "slice": "recent"}


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose catalog has the car parks in DuckDB."""
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "catalog.yml").write_text(CATALOG)
    source = SHIPPED / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
    with duckdb.connect(str(tmp_path / "warehouse.db")) as connection:
        connection.read_csv(str(source)).create("parking")
    return tmp_path


def test_windows_and_versions_are_measured_the_same_in_an_engine_and_in_a_file(
    parking: Run, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_file = [parking("monitoring", **WINDOW), parking("evaluation", **EVALUATION)]
    windows = parking("timeline")

    monkeypatch.chdir(warehouse)
    in_engine = [parking("monitoring", **WINDOW), parking("evaluation", **EVALUATION)]

    assert in_engine[0]["rows"] == in_file[0]["rows"]
    assert in_engine[0]["note"] == in_file[0]["note"]
    assert in_engine[0]["metric"]["value"] == pytest.approx(in_file[0]["metric"]["value"])
    assert in_engine[1]["metrics"][0]["rows"] == in_file[1]["metrics"][0]["rows"]
    assert parking("timeline") == windows


def test_the_doctor_checks_a_history_in_an_engine(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(warehouse)

    found = list(check_model(PARKING, None))

    assert [each for each in found if each.state == "fault"] == []
    assert any("rows" in each.found for each in found)


def test_the_doctor_counts_all_of_a_large_history_and_says_that_it_checked_a_sample(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(warehouse)
    monkeypatch.setattr(remote, "MAX_FETCHED_ROWS", 10_000)

    said = " ".join(each.found for each in check_model(PARKING, None))

    assert "35,717 rows: " in said
    assert "8 windows to replay; values were checked in " in said


def test_a_database_can_be_written_by_others_after_a_run(
    parking: Run, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(warehouse)
    parking("timeline")

    with duckdb.connect(str(warehouse / "warehouse.db")) as connection:
        connection.execute("INSERT INTO parking FROM parking LIMIT 1")
