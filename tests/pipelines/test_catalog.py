"""The catalog is read in the dialect of YAML that every other file is read in."""

from pathlib import Path

import pytest

from trimtab.contracts.ports import Refused
from trimtab.pipelines.catalog import read_catalog


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "conf" / "local"
    folder.mkdir(parents=True)
    return folder


def test_words_that_yaml_1_1_would_guess_at_stay_words(local: Path) -> None:
    (local / "catalog_sales.yml").write_text(
        "sales:\n"
        "  type: trimtab.adapters.datasets.history.HistoryDataset\n"
        "  filepath: sales.csv\n"
        "  timestamp: on\n"
        "  renamed: {no: 2016-10-04, 1_000: thousand}\n"
    )

    described = read_catalog({})["sales"]._describe()

    assert described == {
        "filepath": str(local.parents[1] / "sales.csv"),
        "timestamp": "on",
        "renamed": {"no": "2016-10-04", "1_000": "thousand"},
    }


def test_a_parameter_of_the_run_is_filled_in(local: Path) -> None:
    described = read_catalog({"model": "prices"})["model_spec"]._describe()

    assert described == {"model": "prices"}


def test_a_key_that_stands_twice_is_refused(local: Path) -> None:
    path = local / "catalog_sales.yml"
    path.write_text("sales: {type: MemoryDataset}\nsales: {type: MemoryDataset}\n")

    with pytest.raises(Refused, match="sales stands twice") as caught:
        read_catalog({})

    assert str(path) in str(caught.value)


def test_a_catalog_that_changes_is_read_anew(local: Path) -> None:
    entry = "sales:\n  type: trimtab.adapters.datasets.history.HistoryDataset\n  filepath: {}\n"
    (local / "catalog_sales.yml").write_text(entry.format("old.csv"))
    before = read_catalog({})["sales"]._describe()["filepath"]

    (local / "catalog_sales.yml").write_text(entry.format("new.csv"))
    (local / "catalog_more.yml").write_text(entry.format("more.csv").replace("sales", "more"))

    catalog = read_catalog({})
    assert Path(before).name == "old.csv"
    assert Path(catalog["sales"]._describe()["filepath"]).name == "new.csv"
    assert Path(catalog["more"]._describe()["filepath"]).name == "more.csv"


def test_only_a_parameter_that_a_file_names_matters(local: Path) -> None:
    (local / "catalog_sales.yml").write_text(
        "sales:\n  type: trimtab.adapters.datasets.history.HistoryDataset\n"
        '  filepath: "${runtime_params:folder, none}.csv"\n'
    )

    def read_name(**params: str) -> str:
        return Path(read_catalog(params)["sales"]._describe()["filepath"]).name

    assert read_name(folder="one", start="2016-10-04") == "one.csv"
    assert read_name(folder="one", start="2016-10-11") == "one.csv"
    assert read_name(folder="two", start="2016-10-11") == "two.csv"
    assert read_name() == "none.csv"


def test_a_variable_of_the_environment_is_read_each_time(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (local / "catalog_sales.yml").write_text(
        "sales:\n  type: ibis.TableDataset\n  table_name: sales\n  credentials: warehouse\n"
    )
    (local / "credentials.yml").write_text(
        'warehouse: {connection: {backend: duckdb, database: "${oc.env:SALES_FILE}"}}\n'
    )
    for name in ("one.db", "two.db"):
        monkeypatch.setenv("SALES_FILE", name)

        assert name in str(vars(read_catalog({})["sales"]))
