import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_table, profile_table
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.casting import cast_to_categories
from trimtab.detection.profiles.categories import HASH_BINS, hash_texts
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.merging import merge_columns
from trimtab.detection.profiles.window_profile import (
    OTHER_BIN,
    ColumnProfile,
    WindowProfile,
    coarsen_bins,
    compute_shares,
)

PRICE = Column(name="price", kind=FeatureKind.NUMERIC, minimum=0.0, maximum=100.0)
SHOP = Column(name="shop", kind=FeatureKind.CATEGORICAL)


def test_a_numeric_column_is_counted_in_ten_bins_of_equal_weight() -> None:
    found = profile_column(pd.Series(np.random.default_rng(0).normal(50, 10, 10_000)), PRICE)
    ten = coarsen_bins(found)

    assert len(ten.counts) == len(ten.bin_names) == 10
    assert compute_shares(ten) == pytest.approx([0.1] * 10, abs=0.001)


def test_a_later_window_is_counted_over_the_bins_of_the_reference() -> None:
    reference = profile_column(pd.Series([1.0, 2.0, 3.0, 4.0]), PRICE)

    later = profile_column(pd.Series([-50.0, 99.0]), PRICE, like=reference)

    assert later.edges == reference.edges
    assert (coarsen_bins(later).counts[0], coarsen_bins(later).counts[-1]) == (1, 1)


def test_a_constant_reference_has_bins_below_and_above() -> None:
    reference = profile_column(pd.Series([7.0, 7.0, 7.0]), PRICE)

    later = profile_column(pd.Series([6.0, 7.0, 8.0]), PRICE, like=reference)

    assert coarsen_bins(later).counts == (1, 1, 1)


def test_values_that_are_no_finite_numbers_are_missing_and_unreadable() -> None:
    found = profile_column(pd.Series(["1", "x", None, "inf", "101"]), PRICE)

    assert (found.rows, found.nulls, found.unreadable, found.outside) == (5, 3, 2, 1)
    assert (found.minimum, found.maximum) == (1.0, 101.0)


def test_up_to_fifty_categories_are_all_named() -> None:
    names = [f"shop {number}" for number in range(50) for _ in range(51 - number)]

    found = profile_column(pd.Series(names), SHOP)

    assert found.bin_names[0] == "shop 0"
    assert found.bin_names[-1] == OTHER_BIN
    assert len(found.counts) == 51
    assert found.counts[-1] == 0


def test_of_more_categories_only_the_surely_frequent_ones_are_named() -> None:
    names = ["north"] * 300 + ["south"] * 200 + [f"shop {n % 90}" for n in range(900)]

    found = profile_column(pd.Series(names), SHOP)

    assert found.categories == ("north", "south")
    assert found.counts[:2] == (300, 200)
    assert len(found.bin_names) == len(found.counts) == 2 + HASH_BINS
    assert found.bin_names[-1] == f"(other, part {HASH_BINS} of {HASH_BINS})"
    assert sum(found.counts) == len(names)


def test_few_categories_are_not_all_named_if_many_more_must_exist() -> None:
    names = ["north"] * 300 + [f"shop {n}" for n in range(30)]

    found = profile_column(pd.Series(names), SHOP)

    assert found.categories == ("north",)


def test_other_categories_have_the_same_bins_in_every_window() -> None:
    reference = profile_column(pd.Series([f"shop {n % 90}" for n in range(900)]), SHOP)
    names_later = [f"shop {n % 120}" for n in range(700)]

    later = profile_column(pd.Series(names_later), SHOP, like=reference)

    bins = [int(digest[12:14], 16) % HASH_BINS for digest in hash_texts(names_later)]
    assert later.counts == tuple(np.bincount(bins, minlength=HASH_BINS).tolist())


def test_a_profile_that_was_stored_without_hash_bins_is_still_compared() -> None:
    stored = profile_column(pd.Series(["a", "b"]), SHOP).model_dump(mode="json")
    del stored["others"], stored["once"]
    old = ColumnProfile.model_validate(stored)

    later = profile_column(pd.Series([f"shop {n}" for n in range(90)]), SHOP, like=old)

    assert old.once is None
    assert later.counts == (0, 0, 90)


def test_categories_that_a_reference_saw_just_once_are_counted() -> None:
    reference = profile_column(pd.Series(["a", "a", "b", "c"]), SHOP)
    nothing = profile_column(pd.Series([], dtype="object"), SHOP, like=reference)

    assert reference.once == 2
    assert merge_columns(reference, nothing).once == merge_columns(nothing, reference).once == 2
    assert merge_columns(reference, reference).once is None
    assert profile_column(pd.Series(["a"]), SHOP, like=reference).once is None


def test_categories_the_reference_never_saw_are_counted() -> None:
    reference = profile_column(pd.Series(["north", "south"]), SHOP)

    later = profile_column(pd.Series(["north", "moon", "moon", None]), SHOP, like=reference)

    assert (later.unseen, later.nulls, later.counts) == (2, 1, (1, 0, 2))


def test_whole_numbers_as_categories_keep_their_names_beside_missing_ones() -> None:
    whole = cast_to_categories(pd.Series([1, 2]))
    with_a_gap = cast_to_categories(pd.Series([1.0, None]))

    assert whole.tolist() == ["1", "2"]
    assert with_a_gap.iloc[0] == "1"
    assert with_a_gap.isna().tolist() == [False, True]


def test_flags_are_categories_too() -> None:
    assert cast_to_categories(pd.Series([True, False])).tolist() == ["True", "False"]


def test_an_empty_window_has_a_profile() -> None:
    reference = profile_table(make_table())

    empty = profile_table(make_table(0), like=reference)

    assert empty.window.rows == 0
    assert all(column.value_count == 0 for column in empty.columns)


def test_a_profile_survives_a_round_trip_through_json() -> None:
    made = profile_table(make_table())

    assert WindowProfile.model_validate_json(made.model_dump_json()) == made


def test_repeated_rows_are_counted_in_a_table_with_lists() -> None:
    frame = make_table(3, tags=[["a"], ["a"], ["b"]], price=1.0, shop="north", revenue=2.0)

    assert profile_table(frame).duplicates == 1
