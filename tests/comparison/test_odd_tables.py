"""Whatever stands in two files, they are compared, or refused by name: never an exception."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from tests.detection.test_odd_input import TABLES
from trimtab.comparison.compare_tables import CompareRequest, compare_tables
from trimtab.comparison.errors import InvalidTableError

LENGTH = 300
NAMES = [*TABLES, next(iter(TABLES))]


def column(name: str) -> "pd.Series[str]":
    """Text, as every value stands in a CSV file, for all rows."""
    values = pd.Series(TABLES[name], dtype="object").iloc[:LENGTH]
    return values.map(str, na_action="ignore").reindex(range(LENGTH))


def written(path: Path, frame: pd.DataFrame) -> str:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_all_odd_columns_together_beside_others(ending: str, tmp_path: Path) -> None:
    one = pd.DataFrame({f"c{i}": column(then) for i, (then, _) in enumerate(pairwise(NAMES))})
    other = pd.DataFrame({f"c{i}": column(now) for i, (_, now) in enumerate(pairwise(NAMES))})

    before = written(tmp_path / f"one.{ending}", one)
    found = compare_tables(
        CompareRequest(before, written(tmp_path / f"two.{ending}", other))
    ).comparison
    again = compare_tables(
        CompareRequest(before, written(tmp_path / f"same.{ending}", one))
    ).comparison

    assert {*found.left_out, *(each.name for each in found.features)} == set(one)
    assert all(each.why for each in found.features)
    assert not any(each.drifted for each in again.features)
    assert not again.drifted


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_one_odd_column_is_compared_or_refused(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"x": pd.Series(TABLES[name], dtype="object").map(str, na_action="ignore")}
    )
    request = CompareRequest(written(tmp_path / "a.csv", frame), written(tmp_path / "b.csv", frame))

    try:
        found = compare_tables(request).comparison
    except InvalidTableError as error:
        assert "reference" in str(error)  # noqa: PT017 - either of two answers is right
    else:
        assert not found.drifted
        assert found.why
