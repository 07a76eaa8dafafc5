"""Whatever a table holds can be cast to numbers and to categories, without an error."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

TIMES = pd.date_range("2026-01-05", periods=3)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(TIMES),
        pd.Series(TIMES.tz_localize("UTC")),
        pd.Series([pd.NaT, pd.NaT]),
        pd.Series(TIMES - TIMES[0]),
        pd.Series(TIMES.to_period("D")),
        pd.Series([date(2026, 1, 5), None]),
        pd.Series([1 + 2j, 3.0]),
        pd.Series([[1], None]),
        pd.Series([b"x", None]),
        pd.Series(["one", None], dtype="category"),
        pd.Series([None, None]),
        pd.Series([], dtype="object"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_values_that_are_no_numbers_are_missing(values: "pd.Series[Any]") -> None:
    numbers = cast_to_numbers(values)

    assert str(numbers.dtype) == "float64"
    assert numbers.isna().all()
    assert len(cast_to_categories(values)) == len(values)


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([True, False, None], [1.0, 0.0, np.nan]),
        ([2**70, 10**400, 1], [2.0**70, np.nan, 1.0]),
        ([Decimal("1.5"), Decimal("NaN"), 2], [1.5, np.nan, 2.0]),
        (["1", " 2 ", "x"], [1.0, 2.0, np.nan]),
        (["1e400", "-inf", "nan"], [np.nan, np.nan, np.nan]),
        ([1, "a", date(2026, 1, 5)], [1.0, np.nan, np.nan]),
        (np.array([2**64 - 1, 0], dtype="uint64"), [2.0**64, 0.0]),
    ],
)
def test_numbers_are_finite_in_every_form(values: Any, numbers: list[float]) -> None:
    np.testing.assert_array_equal(cast_to_numbers(pd.Series(values)), numbers)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1.0, 2.0, np.nan], ["1", "2", np.nan]),
        ([1.5, 2.0], ["1.5", "2.0"]),
        ([True, False], ["True", "False"]),
        (pd.array([1, None], dtype="Int64"), ["1", np.nan]),
        ([2**70, 1], [str(2**70), "1"]),
        (pd.Categorical([1, 2]), ["1", "2"]),
    ],
)
def test_categories_have_the_same_names_in_every_storage_type(
    values: Any, names: list[Any]
) -> None:
    assert cast_to_categories(pd.Series(values)).tolist() == names
