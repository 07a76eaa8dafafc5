"""Columns of pandas as DuckDB reads them: numbers, categories, times, and what is missing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import trimtab
from trimtab.contracts.drift import FeatureKind

ROWS = 300
YES, NO = True, False
NUMERIC, CATEGORICAL = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
TIME = "it holds timestamps, which always increase"
OTHER = "it has no name, or holds neither numbers nor categories"


def repeat(*values: Any) -> list[Any]:
    return [values[place % len(values)] for place in range(ROWS)]


def profiled(values: Any) -> trimtab.TableProfile:
    return trimtab.profile(pd.DataFrame({"x": values, "other": range(ROWS, 0, -1)}, copy=False))


@pytest.mark.parametrize(
    ("values", "kind", "missing"),
    [
        (pd.array(repeat(1, 2, None), dtype="Int64"), NUMERIC, 1 / 3),
        (pd.array(repeat(1.5, 2.5, None), dtype="Float64"), NUMERIC, 1 / 3),
        (np.array(repeat(1, 2), dtype="uint8"), NUMERIC, 0),
        (np.array(repeat(1, 2), dtype="float16"), NUMERIC, 0),
        (np.array(repeat(1, 2), dtype="longdouble"), NUMERIC, 0),
        (pd.arrays.SparseArray(repeat(0, 0, 1)), NUMERIC, 0),
        (pd.array(repeat(1, None), dtype="int64[pyarrow]"), NUMERIC, 0.5),
        (pd.Series(repeat(Decimal("1.5"), Decimal("2.5"), None), dtype="object"), NUMERIC, 1 / 3),
        (pd.Series(repeat(1, 2.5, None), dtype="object"), NUMERIC, 1 / 3),
        (pd.Series(repeat(2**70, 1), dtype="object"), NUMERIC, 0),
        (pd.Series(repeat("1", "2.5"), dtype="object"), NUMERIC, 0),
        (pd.array(repeat(YES, NO, None), dtype="boolean"), CATEGORICAL, 1 / 3),
        (pd.Series(repeat(YES, None), dtype="object"), CATEGORICAL, 0.5),
        (pd.array(repeat("a", "b", None), dtype="string"), CATEGORICAL, 1 / 3),
        (pd.array(repeat("a", None), dtype="string[pyarrow]"), CATEGORICAL, 0.5),
        (pd.Series(repeat("a", "b", None, np.nan), dtype="object"), CATEGORICAL, 0.5),
        (pd.Categorical(repeat("a", "b", None)), CATEGORICAL, 1 / 3),
        (pd.Categorical(repeat(1, 2, None)), CATEGORICAL, 1 / 3),
        (pd.cut(pd.Series(repeat(1, 5, 9)), [0, 3, 6, 10]), CATEGORICAL, 0),
        (pd.arrays.IntervalArray.from_tuples(repeat((0, 1), (1, 2))), CATEGORICAL, 0),
        (pd.Series(repeat(1, "two", 3.0, YES, None), dtype="object"), CATEGORICAL, 0.2),
        (np.array(repeat(1 + 2j, 3), dtype="complex128"), CATEGORICAL, 0),
    ],
)
def test_a_column_is_compared_by_its_type(values: Any, kind: FeatureKind, missing: float) -> None:
    found = profiled(values).record.profile.find("x")

    assert found
    assert found.column.kind is kind
    assert found.null_fraction == pytest.approx(missing)
    assert found.unreadable == 0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pd.date_range("2026-01-01", periods=ROWS), TIME),
        (pd.date_range("2026-01-01", periods=ROWS, tz="Asia/Tokyo"), TIME),
        (pd.Series([date(2026, 1, 1)] * ROWS, dtype="object"), TIME),
        (pd.Series([datetime(2026, 1, 1, tzinfo=UTC)] * ROWS, dtype="object"), TIME),
        (pd.period_range("2026-01", periods=ROWS, freq="M"), TIME),
        (pd.Series(repeat([1], [2]), dtype="object"), OTHER),
        (pd.Series(repeat({"a": 1}, None), dtype="object"), OTHER),
        (pd.Series(repeat(b"1", b"2"), dtype="object"), OTHER),
    ],
)
def test_a_column_that_cannot_be_compared_is_left_out_with_the_reason(
    values: Any, reason: str
) -> None:
    assert profiled(values).left_out == {"x": reason}


def test_categories_have_the_names_that_a_file_would_have() -> None:
    whole = profiled(pd.Categorical(repeat(1.0, 2.0, 2.5))).record.profile.find("x")
    same = profiled(pd.Categorical(repeat("1", 1, 2))).record.profile.find("x")

    assert whole
    assert same
    assert whole.known == ("1", "2", "2.5")
    assert same.known == ("1", "2")


def test_names_that_are_no_text_are_called_by_it() -> None:
    random = np.random.default_rng(0)
    before = pd.DataFrame({0: random.normal(size=ROWS), 1: random.normal(size=ROWS)})
    now = before.assign().rename(columns=lambda name: name)
    now[0] += 2.0

    result = trimtab.compare(before, now, target="0", ignore=["1"])

    assert result.columns["column"].tolist() == ["0"]
    assert result.drifted


def test_an_index_is_no_column_unless_an_option_names_it() -> None:
    times = pd.date_range("2026-01-01", periods=ROWS, freq="h", name="at")
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=ROWS)}, index=times)
    later = frame.set_axis(frame.index + pd.Timedelta(days=60)).rename_axis("at")

    plain = trimtab.compare(frame, later)
    timed = trimtab.compare(frame, later, timestamp="at")
    stale = trimtab.compare(frame, frame.copy(), timestamp="at")

    assert plain.columns["column"].tolist() == timed.columns["column"].tolist() == ["x"]
    assert plain.left_out == timed.left_out == {}
    assert timed.faults == ()
    assert [fault.kind for fault in stale.faults] == ["stale"]
    with pytest.raises(trimtab.InvalidOptionError, match="timestamp='when'"):
        trimtab.compare(frame, later, timestamp="when")


def test_a_level_of_an_index_may_be_the_timestamp() -> None:
    times = pd.date_range("2026-01-01", periods=ROWS, freq="h")
    index = pd.MultiIndex.from_arrays([times, range(ROWS)], names=["at", "row"])
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=ROWS)}, index=index)

    profile = trimtab.profile(frame, timestamp="at")

    assert profile.record.profile.window.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert [each.column.name for each in profile.record.profile.columns] == ["x"]


def test_a_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"c": pd.Categorical(repeat(1, 2)), "x": np.arange(ROWS, dtype="float64")})
    before = frame.copy(deep=True)

    trimtab.compare(frame, frame.copy())

    pd.testing.assert_frame_equal(frame, before)
