"""The merged profiles of partitions are the profile of the whole."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detection.windows import make_table, profile_table
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import (
    compute_hash_range,
    estimate_distinct_count,
    merge_sketches,
    sketch_numbers,
    sketch_texts,
)
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.merging import merge_columns, merge_windows
from trimtab.detection.profiles.window_profile import MAX_BINS, ColumnProfile, coarsen_bins

SIZE = Column(name="size", kind=FeatureKind.NUMERIC, minimum=-5.0, maximum=1e6)
SHOP = Column(name="shop", kind=FeatureKind.CATEGORICAL)
BEFORE = {
    SIZE.name: profile_column(pd.Series(np.random.default_rng(0).normal(0, 3, 500)), SIZE),
    SHOP.name: profile_column(pd.Series(["a", "b", "b", "c"]), SHOP),
}

numbers = st.none() | st.floats(-1e9, 1e9) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e12])
texts = st.none() | st.sampled_from(["a", "b", "c", "", "it's", "ö", "new"])
parts = st.one_of(
    st.tuples(st.just(SIZE), st.lists(st.lists(numbers, max_size=20), min_size=3, max_size=3)),
    st.tuples(st.just(SHOP), st.lists(st.lists(texts, max_size=20), min_size=3, max_size=3)),
)


def profile_values(values: list[Any], column: Column) -> ColumnProfile:
    return profile_column(pd.Series(values, dtype="object"), column, like=BEFORE[column.name])


def assert_same(one: ColumnProfile, other: ColumnProfile) -> None:
    apart = {"mean", "std"}
    assert one.model_dump(exclude=apart) == other.model_dump(exclude=apart)
    for left, right in ((one.mean, other.mean), (one.std, other.std)):
        near = None if right is None else pytest.approx(right, rel=1e-6, abs=1e-6)
        assert left == near


@given(parts)
def test_merging_is_associative_and_commutative_and_gives_the_whole_profile(
    drawn: tuple[Column, list[list[Any]]],
) -> None:
    column, lists = drawn
    one, two, three = (profile_values(values, column) for values in lists)

    assert_same(merge_columns(one, two), merge_columns(two, one))
    assert_same(
        merge_columns(merge_columns(one, two), three), merge_columns(one, merge_columns(two, three))
    )
    assert_same(
        merge_columns(merge_columns(one, two), three),
        profile_values([each for some in lists for each in some], column),
    )


def test_profiles_over_different_bins_are_not_merged() -> None:
    other = profile_column(pd.Series([1.0, 2.0]), SIZE)

    with pytest.raises(ValueError, match="'size' differ in edges, cuts: profile both over"):
        merge_columns(BEFORE["size"], other)


def test_two_weeks_are_merged_into_one_window() -> None:
    reference = profile_table(make_table(900))
    monday, tuesday = (profile_table(make_table(300, seed=seed), like=reference) for seed in (1, 2))

    both = merge_windows(monday, tuesday)

    assert both.window.rows == 600
    whole = profile_table(
        pd.concat([make_table(300, seed=1), make_table(300, seed=2)]), like=reference
    )
    for merged, expected in zip(both.columns, whole.columns, strict=True):
        assert_same(merged, expected)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=300))
def test_there_are_never_more_bins_than_256_and_every_value_is_in_one(values: list[float]) -> None:
    found = profile_column(pd.Series(values), SIZE)

    assert len(found.counts) <= MAX_BINS
    assert list(found.edges) == sorted(set(found.edges))
    assert sum(found.counts) == len(values) == sum(coarsen_bins(found).counts)
    assert len(coarsen_bins(found).counts) <= 10


@pytest.mark.parametrize("count", [1, 10, 100, 1000, 10_000, 100_000])
def test_distinct_values_are_estimated_within_the_stated_error(count: int) -> None:
    random = np.random.default_rng(count)
    errors = []
    for _ in range(20):
        drawn = np.unique(random.normal(size=count))
        edges = tuple(np.quantile(drawn, np.linspace(0, 1, 50)).tolist())
        found = estimate_distinct_count(
            sketch_numbers(np.repeat(drawn, 2), compute_hash_range(edges))
        )
        errors.append(np.log(found / len(drawn)))

    assert float(np.sqrt(np.mean(np.square(errors)))) < 0.45
    assert abs(float(np.mean(errors))) < 0.25


def test_distinct_whole_numbers_and_texts_are_estimated_too() -> None:
    whole = np.arange(50_000, dtype="float64")

    assert estimate_distinct_count(sketch_numbers(whole, (1e4, 2e4))) == pytest.approx(
        50_000, rel=0.6
    )
    assert estimate_distinct_count(sketch_texts(f"id {n}" for n in range(5000))) == pytest.approx(
        5000, rel=0.6
    )
    assert estimate_distinct_count(
        merge_sketches(sketch_texts(["a"]), sketch_texts(["a"]))
    ) == pytest.approx(1, abs=0.5)
