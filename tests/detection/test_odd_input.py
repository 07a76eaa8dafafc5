"""Whatever a table holds, its profiles are compared without an error and with a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.contracts.comparison import Comparison
from trimtab.contracts.drift import FeatureKind, Severity, Window
from trimtab.detection.drift.table_comparison import compare_profiles
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.frames import profile_window
from trimtab.detection.profiles.window_profile import WindowProfile

START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def profile(values: Any, kind: FeatureKind, like: WindowProfile | None = None) -> WindowProfile:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=None if len(values) else "object")})
    start = START + WEEK if like else START
    return profile_window(
        frame,
        [(Column(name="x", kind=kind), frame["x"])],
        model="table",
        window=Window(start=start, end=start + WEEK, rows=len(frame)),
        newest=start + WEEK - timedelta(minutes=1) if len(frame) else None,
        like=like,
    )


def compare(before: Any, now: Any, kind: FeatureKind, minimum_rows: int = 1) -> Comparison:
    reference = profile(before, kind)
    return compare_profiles(
        reference, profile(now, kind, like=reference), minimum_rows=minimum_rows
    )


random = np.random.default_rng(0)
TABLES: dict[str, Any] = {
    "empty": [],
    "one row": [1.5],
    "one category": ["a"] * 300,
    "all null": [None] * 300,
    "all NaN": [np.nan] * 300,
    "infinite": [np.inf, -np.inf] * 150,
    "some infinite": [*random.normal(size=280), *[np.inf] * 10, *[np.nan] * 10],
    "a billion": random.normal(1e9, 1e8, 300),
    "near the largest": 1.7e308 * random.uniform(-1, 1, 300),
    "near the smallest": 1e-310 * random.uniform(-1, 1, 300),
    "one outlier": [*random.normal(size=299), 1e300],
    "one number": [7] * 300,
    "two numbers": [0, 1] * 150,
    "text": [f"word {i % 40}" for i in range(300)],
    "mixed": [1, "two", 3.0, None, True, np.nan] * 50,
    "numbers as text": [f"{i % 17}.5" for i in range(300)],
    "booleans": [True, False, None] * 100,
    "all different": [f"id {i}" for i in range(3000)],
    "long and odd text": ["ä" * 5000, "", " ", "\x00", "(other)", "'; drop table x; --"] * 50,
    "huge integers": [2**70 + i for i in range(300)],
    "times": list(pd.date_range("2026-01-01", periods=300, freq="h")),
    "normal": random.normal(size=300),
}


def has_few_numbers(values: Any) -> bool:
    numbers = pd.to_numeric(pd.Series(values, dtype="object"), errors="coerce").astype("float64")
    return int(np.isfinite(numbers).sum()) < len(TABLES["normal"]) / 10


@pytest.mark.parametrize("kind", FeatureKind)
@pytest.mark.parametrize("before", TABLES)
def test_any_column_can_be_compared_with_any_other(before: str, kind: FeatureKind) -> None:
    reference = profile(TABLES[before], kind)

    for values in TABLES.values():
        current = profile(values, kind, like=reference)
        found = compare_profiles(reference, current, minimum_rows=1)

        (column,) = found.features
        assert column.why
        assert (column.effects is None) == (column.test is None)
        assert Comparison.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("kind", FeatureKind)
@pytest.mark.parametrize("name", TABLES)
def test_no_column_drifts_from_itself(name: str, kind: FeatureKind) -> None:
    found = compare(TABLES[name], TABLES[name], kind)

    (column,) = found.features
    assert (found.drifted, found.severity, found.quality) == (False, Severity.LOW, ())
    assert column.effects is None or column.effects.psi == 0.0


@pytest.mark.parametrize("name", [name for name in TABLES if has_few_numbers(TABLES[name])])
def test_numbers_that_vanish_are_a_fault(name: str) -> None:
    found = compare(TABLES["normal"], TABLES[name], FeatureKind.NUMERIC)

    assert found.drifted == (name != "empty" and found.enough)


def test_an_empty_table_is_not_enough_data() -> None:
    found = compare(TABLES["normal"], [], FeatureKind.NUMERIC, minimum_rows=200)

    assert (found.enough, found.drifted) == (False, False)


anything = st.lists(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), max_size=120
)


@settings(max_examples=150, deadline=None)
@given(anything, anything, st.sampled_from(FeatureKind))
def test_no_table_raises_an_exception(before: list[Any], now: list[Any], kind: FeatureKind) -> None:
    found = compare(before, now, kind)

    assert found.rows.current == len(now)
    assert found.why


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.floats(), min_size=30, max_size=60), st.randoms())
def test_the_order_of_rows_does_not_matter(values: list[Any], order: Any) -> None:
    shuffled = order.sample(values, len(values))

    (moved,) = compare(values, shuffled, FeatureKind.NUMERIC).features

    assert not moved.drifted
    assert moved.effects is None or (moved.effects.psi, moved.effects.jensen_shannon) == (0.0, 0.0)
