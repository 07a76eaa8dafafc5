import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from trimtab.adapters.datasets.history import HistoryDataset
from trimtab.contracts.ports import Refused

CSV = "at,shop,sold\n2026-01-05 12:00,north,1\n2026-01-05 12:30,,2\n"

TIMES = [pd.Timestamp("2026-01-05 12:00"), pd.Timestamp("2026-01-05 12:30")]


def load(path: Path, timestamp: str | None = None) -> pd.DataFrame:
    table: pd.DataFrame = HistoryDataset(filepath=str(path), timestamp=timestamp).load()
    return table


def refusal(path: Path, timestamp: str | None = None) -> str:
    """Kedro wraps what a dataset raises; the pipelines unwrap it."""
    with pytest.raises(DatasetError) as raised:
        load(path, timestamp)
    assert isinstance(raised.value.__cause__, Refused)
    return str(raised.value.__cause__)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(CSV)
    return path


def test_csv_gzipped_csv_and_parquet_are_the_same_table(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "sales.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    load(plain).to_parquet(tmp_path / "sales.parquet", index=False)

    tables = [load(tmp_path / name) for name in ("sales.csv", "sales.csv.gz", "sales.parquet")]

    for table in tables:
        assert table["at"].astype("datetime64[us]").tolist() == TIMES
        assert table["shop"].isna().tolist() == [False, True]
        assert table["sold"].tolist() == [1, 2]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found_in_the_first_line(plain: Path, delimiter: str) -> None:
    plain.write_text(CSV.replace(",", delimiter))

    assert load(plain).columns.tolist() == ["at", "shop", "sold"]


def test_decimal_commas_are_read_as_numbers(plain: Path) -> None:
    plain.write_text("at;shop;price;sold\n2026-01-05;north;0,25;1\n2026-01-06;south;-1,5;2\n")

    table = load(plain)

    assert table["price"].tolist() == [0.25, -1.5]
    assert table["sold"].tolist() == [1, 2]


def test_thousands_that_commas_part_are_not_taken_for_decimals(plain: Path) -> None:
    plain.write_text("at;price\n2026-01-05;1,250\n2026-01-06;12,000\n")

    assert load(plain)["price"].tolist() == ["1,250", "12,000"]


def test_parquet_is_known_by_its_content_too(plain: Path, tmp_path: Path) -> None:
    for name in ("sales.pq", "sales"):
        load(plain).to_parquet(tmp_path / name, index=False)

        assert load(tmp_path / name)["sold"].tolist() == [1, 2]


def test_columns_may_be_called_otherwise_than_in_the_file(plain: Path) -> None:
    dataset = HistoryDataset(filepath=str(plain), renamed={"at": "time", "sold": "count"})

    table = dataset.with_timestamp("time").load()

    assert table.columns.tolist() == ["time", "shop", "count"]
    assert str(table["time"].dtype) == "datetime64[us, UTC]"


def test_a_renamed_column_that_is_gone_is_refused(plain: Path) -> None:
    with pytest.raises(DatasetError) as raised:
        HistoryDataset(filepath=str(plain), renamed={"when (UTC)": "when"}).load()

    assert "no column 'when (UTC)', which is renamed: it has at" in str(raised.value.__cause__)


def test_a_column_that_changes_its_type_late_is_still_read(plain: Path) -> None:
    plain.write_text("sold\n" + "1\n" * 400_000 + "many\n")

    assert load(plain)["sold"].iloc[-1] == "many"


def test_the_named_column_comes_back_as_times(plain: Path) -> None:
    assert str(load(plain, "at")["at"].dtype) == "datetime64[us, UTC]"


def test_a_table_is_read_once_until_the_file_changes(plain: Path) -> None:
    first = load(plain)
    again = load(plain)
    plain.write_text(CSV + "2026-01-05 13:00,south,3\n")
    os.utime(plain, ns=(1, 1))

    changed = load(plain)

    assert np.shares_memory(first["sold"], again["sold"])
    assert (len(first), len(changed)) == (2, 3)


def test_a_caller_changes_only_its_own_copy_of_the_table(plain: Path) -> None:
    table = load(plain)
    table["sold"] = 0
    table.loc[0, "shop"] = "moon"

    assert load(plain)["sold"].tolist() == [1, 2]
    assert load(plain)["shop"].iloc[0] == "north"


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    assert "nowhere.csv cannot be read" in refusal(tmp_path / "nowhere.csv")


def test_a_column_that_is_not_there_is_refused_with_those_that_are(plain: Path) -> None:
    assert "no column 'when': it has at, shop, sold" in refusal(plain, "when")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.parquet", b"no parquet"),
        ("x.csv.gz", b"no gzip"),
        ("x.csv", b""),
        ("x.csv", "shop\nKöln\n".encode("latin-1")),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    assert "is no readable CSV or Parquet table" in refusal(tmp_path / name)


def test_a_history_is_never_written_to(plain: Path) -> None:
    with pytest.raises(DatasetError, match="read-only"):
        HistoryDataset(filepath=str(plain)).save(pd.DataFrame())  # type: ignore[arg-type]  # the point

    assert plain.read_text() == CSV
