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
