"""Renamed categories against new ones, and what the window's signals say of them."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_spec, make_table, profile_table
from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.category_changes import compute_new_category_share
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.profiles.window_profile import WindowProfile

REFERENCE = profile_table(make_table(6000))


def profile_shops(shops: "pd.Series[str]") -> WindowProfile:
    return profile_table(make_table(len(shops), seed=1, shop=shops), like=REFERENCE)


def draw_shops(*names: str) -> "pd.Series[str]":
    return pd.Series(np.random.default_rng(1).choice(names, 2000))


def find_faults(current: WindowProfile) -> dict[str, QualityFault]:
    return {fault.kind: fault for fault in find_window_faults(REFERENCE, current, spec=make_spec())}


@pytest.mark.parametrize(
    "names",
    [
        ("N1", "N2", "N3", "N4"),
        ("NORTH", "SOUTH", "EAST", "WEST"),
        ("north", "south", "east", "far west"),
    ],
)
def test_renamed_categories_corrupt_the_window(names: tuple[str, ...]) -> None:
    found = find_faults(profile_shops(draw_shops(*names)))

    assert found["renamed_category"].corrupt
    assert "unseen_category" not in found
    assert compute_new_category_share(REFERENCE, profile_shops(draw_shops(*names))) == 0.0


def test_a_new_spelling_beside_the_old_one_is_a_renamed_category() -> None:
    found = find_faults(profile_shops(draw_shops("north", "north ", "south", "east", "west")))

    assert found["renamed_category"].fraction == pytest.approx(0.2, abs=0.03)


def test_a_new_category_beside_the_old_ones_does_not_corrupt_the_window() -> None:
    current = profile_shops(draw_shops("north", "south", "east", "west", "moon"))

    assert not find_faults(current)["unseen_category"].corrupt
    assert compute_new_category_share(REFERENCE, current) == pytest.approx(0.2, abs=0.03)


def test_known_categories_have_no_new_share() -> None:
    current = profile_shops(draw_shops("north", "south", "east", "west"))

    assert find_faults(current) == {}
    assert compute_new_category_share(REFERENCE, current) == 0.0


def test_without_categorical_features_the_share_is_unknown() -> None:
    numeric = REFERENCE.model_copy(update={"columns": REFERENCE.columns[:1]})

    assert compute_new_category_share(numeric, numeric) is None
