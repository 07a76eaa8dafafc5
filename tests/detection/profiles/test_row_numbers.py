"""A column that numbers the rows does not describe them."""

import numpy as np
import pytest

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.row_numbers import is_pandas_index_name, is_row_number
from trimtab.detection.profiles.window_profile import ColumnProfile

ROWS = 5000


def profile(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> ColumnProfile:
    column = Column(name="x", kind=FeatureKind.NUMERIC)
    return profile_numbers(values, column, rows=len(values))


@pytest.mark.parametrize("start", [0.0, 1.0, 1_000_000.0, -17.0])
def test_consecutive_numbers_in_any_order_are_row_numbers(start: float) -> None:
    values = start + np.random.default_rng(0).permutation(ROWS).astype("float64")

    assert is_row_number(profile(values))


def test_a_few_row_numbers_may_be_missing() -> None:
    values = np.delete(np.arange(ROWS, dtype="float64"), [7, 70, 700])

    assert is_row_number(profile(values))


def test_numbers_that_describe_the_rows_are_no_row_numbers() -> None:
    random = np.random.default_rng(1)

    assert not is_row_number(profile(random.normal(size=ROWS)))
    assert not is_row_number(profile(random.integers(0, 90, ROWS).astype("float64")))
    assert not is_row_number(profile(np.sort(random.triangular(0, 1, ROWS - 1, ROWS).round())))
    assert not is_row_number(profile(np.arange(0, 5 * ROWS, 5, dtype="float64")))
    assert not is_row_number(profile(np.arange(20, dtype="float64")))
    assert not is_row_number(profile(np.array([], dtype="float64")))


def test_an_index_that_pandas_wrote_as_a_column_is_recognised_by_its_name() -> None:
    assert all(map(is_pandas_index_name, ["__index_level_0__", "Unnamed: 0", "Unnamed: 0.1"]))
    assert not any(map(is_pandas_index_name, ["index", "Unnamed: 3", "level_0"]))
