"""One CSV reader: `compare`, `init`, `monitor` and `backtest` see the same columns and values."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError

from tests.detection.tables.odd_csv import LATE, ODD_FILES, REFUSED_FILES, Table, late
from trimtab.adapters.datasets.history import HistoryDataset
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.columns import Column
from trimtab.detection.tables import csv_files
from trimtab.detection.tables.duckdb_table import DuckTable, UnreadableError
from trimtab.detection.tables.files import OpenFiles
from trimtab.detection.tables.profiling import infer_columns, profile_relation
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.sql.statements import build_select

KINDS = {"BIGINT": "i", "DOUBLE": "f", "VARCHAR": "O", "BOOLEAN": "b", "TIMESTAMP": "M",
         "TIMESTAMPTZ": "M"}  # fmt: skip
"""DuckDB's type to pandas' letter for the kind."""


def written(folder: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path = folder / ("table.csv.gz" if data.startswith(b"\x1f\x8b") else "table.csv")
    path.write_bytes(data)
    return path


def fetched(table: DuckTable) -> tuple[dict[str, str], list[list[Any]]]:
    """Types by column, and the values of each; times as microseconds."""
    kinds = {name: kind.split(" WITH")[0] for name, kind in table.types.items()}
    columns = [
        f'EPOCH_US("{name}")' if kind.startswith("TIMESTAMP") else f'"{name}"'
        for name, kind in kinds.items()
    ]
    rows = table.connection.execute(build_select(columns, table.source)).fetchall()
    return kinds, [list(values) for values in zip(*rows, strict=True)] or [[] for _ in kinds]


def plain(value: Any) -> Any:
    """A value without the ways of its library."""
    if isinstance(value, datetime):  # also what pandas has
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(aware.timestamp()) * 1_000_000 + aware.microsecond
    if value is pd.NaT or value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


@pytest.mark.parametrize("name", ODD_FILES)
def test_every_command_reads_the_same_values(name: str, tmp_path: Path) -> None:
    content, expected = ODD_FILES[name]
    path = written(tmp_path, content)

    with OpenFiles([path]) as files:
        _, compared = files.query(fetched)
    history: pd.DataFrame = HistoryDataset(filepath=str(path)).load()

    wanted = [[plain(value) for value in values] for values in expected.values()]
    assert list(history) == list(expected)
    assert [[plain(value) for value in history[column]] for column in history] == wanted
    assert [[plain(value) for value in values] for values in compared] == wanted


@pytest.mark.parametrize("name", ODD_FILES)
def test_a_file_too_large_to_be_kept_has_the_same_profile(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, ODD_FILES[name][0])
    kept = profile_relation(path, infer_columns(path).columns)
    monkeypatch.setattr(csv_files, "MAX_KEPT_BYTES", 0)

    streamed = profile_relation(path, infer_columns(path).columns)

    assert streamed == kept


@pytest.mark.parametrize("name", ODD_FILES)
def test_every_command_sees_the_same_kinds(name: str, tmp_path: Path) -> None:
    content, expected = ODD_FILES[name]
    path = written(tmp_path, content)

    with OpenFiles([path]) as files:
        kinds, _ = files.query(fetched)
    history: pd.DataFrame = HistoryDataset(filepath=str(path)).load()

    for (column, values), kind in zip(expected.items(), kinds.values(), strict=True):
        held = history[column].dropna().infer_objects()
        if None not in values:  # pandas makes floats of whole numbers with gaps
            assert pd.api.types.pandas_dtype(held.dtype).kind.replace("S", "O") in KINDS[kind]


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_every_command_refuses_the_same_files(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED_FILES[name]
    path = written(tmp_path, content)

    with pytest.raises(UnreadableError, match=reason):
        profile_relation(path, infer_columns(path).columns)
    with pytest.raises(DatasetError) as raised:
        HistoryDataset(filepath=str(path)).load()

    assert reason in str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("form", "times"),
    [
        ("%d.%m.%Y %H:%M", pd.date_range("2026-01-01", periods=500, freq="7h")),
        ("%m/%d/%Y", pd.date_range("2026-01-01", periods=200, freq="D")),
        ("%d/%m/%Y", pd.date_range("2026-01-01", periods=12, freq="D")),
        ("%b %d, %Y %I:%M %p", pd.date_range("2026-01-01", periods=500, freq="7h")),
        ("%Y-%m-%dT%H:%M:%S", pd.date_range("2026-01-01", periods=500, freq="7h")),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_command_reads_the_same_times(
    form: str, times: pd.DatetimeIndex, ending: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"at": times.strftime(form), "x": range(len(times))})
    path = tmp_path / f"table.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)

    column = Column(name="x", kind=FeatureKind.NUMERIC)
    profile = profile_relation(path, [column], where=RowFilter("at"))
    history = HistoryDataset(filepath=str(path), timestamp="at").load()

    assert history["at"].tolist() == [each.tz_localize("UTC") for each in times]
    assert profile.window.start == history["at"].min()
    assert profile.newest == history["at"].max()
    assert profile.untimed == 0


def test_a_late_decimal_is_not_rounded(tmp_path: Path) -> None:
    path = written(tmp_path, late("1", "2.5"))

    profile = profile_relation(path, infer_columns(path).columns)

    assert profile.columns[0].maximum == 2.5
    assert profile.columns[0].rows == LATE + 1


def test_files_of_one_table_may_have_their_columns_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "2.csv").write_text("b,a\nz,3\n")
    expected: Table = {"a": [1, 2, 3], "b": ["x", "y", "z"]}

    with OpenFiles([tmp_path / "1.csv", tmp_path / "2.csv"]) as files:
        kinds, values = files.query(fetched)

    assert dict(zip(kinds, values, strict=True)) == expected
    assert kinds == {"a": "BIGINT", "b": "VARCHAR"}
