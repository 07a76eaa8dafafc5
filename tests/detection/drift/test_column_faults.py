from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import make_spec, make_table, profile_table
from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import WindowProfile

REFERENCE = profile_table(make_table(6000))


GOOD = make_table(2000, seed=1)


def faults(frame: pd.DataFrame, **options: Any) -> dict[str, QualityFault]:
    current = profile_table(frame, like=REFERENCE, **options)
    return {fault.kind: fault for fault in find_window_faults(REFERENCE, current, spec=make_spec())}


def spoil(column: str, value: Any, share: float) -> pd.DataFrame:
    frame = GOOD.copy()
    frame[column] = frame[column].astype("object")
    frame.loc[: int(share * len(frame)) - 1, column] = value
    return frame


def test_a_few_negative_targets_do_not_corrupt_the_window() -> None:
    fault = faults(spoil("revenue", -8.0, 0.002))["range"]

    assert fault.column == "revenue"
    assert fault.fraction == pytest.approx(0.002)
    assert not fault.corrupt
    assert not warrants_event(fault)
    assert "4 of 2000" in fault.detail


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("nulls", "price", None),
        ("range", "price", -1.0),
        ("retyped_column", "price", "n/a"),
    ],
)
@pytest.mark.parametrize(("share", "corrupt"), [(0.1, False), (0.4, True)])
def test_a_fault_in_a_fifth_of_the_rows_corrupts_the_window(
    kind: str, column: str, value: Any, share: float, *, corrupt: bool
) -> None:
    fault = faults(spoil(column, value, share))[kind]

    assert (fault.column, fault.corrupt) == (column, corrupt)
    assert fault.fraction == pytest.approx(share, abs=0.001)


def customers(seed: int, *, known: int = 1500, new: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    names = [f"c{n}" for n in random.integers(0, known, 1000)]
    strange = [f"new {n}" for n in range(1000)]
    return make_table(1000, seed=seed).assign(
        shop=np.where(random.random(1000) < new, strange, names).tolist()
    )


@pytest.mark.parametrize("known", [300, 1500, 5000])
def test_categories_that_the_reference_could_not_have_seen_yet_are_no_fault(known: int) -> None:
    reference = profile_table(customers(0, known=known))
    windows = [profile_table(customers(seed, known=known), like=reference) for seed in range(1, 11)]

    found = [find_window_faults(reference, current, spec=make_spec()) for current in windows]

    assert all(any(each.unseen for each in window.columns) for window in windows)
    assert [fault for window in found for fault in window] == []


@pytest.mark.parametrize("new", [0.3, 0.6])
def test_more_new_categories_than_expected_are_a_fault_of_the_excess(new: float) -> None:
    reference = profile_table(customers(0))
    current = profile_table(customers(1, new=new), like=reference)

    (fault,) = find_window_faults(reference, current, spec=make_spec())

    # half of the rows are of customers that are new anyway, and so cannot become so
    assert fault.kind == "unseen_category"
    assert fault.fraction == pytest.approx(new / 2, abs=0.05)
    assert not fault.corrupt, "a model can learn what is new"
    assert "were expected" in fault.detail


def test_without_a_count_of_single_values_no_new_category_is_expected() -> None:
    reference = profile_table(customers(0))
    columns = (each.model_copy(update={"once": None}) for each in reference.columns)
    older = reference.model_copy(update={"columns": tuple(columns)})

    (fault,) = find_window_faults(older, profile_table(customers(1), like=older), spec=make_spec())

    assert (fault.kind, fault.corrupt) == ("unseen_category", False)


def test_a_column_without_values_is_missing_and_corrupts_the_window() -> None:
    fault = faults(GOOD.assign(price=None))["missing_column"]

    assert fault.column == "price"
    assert fault.corrupt


def test_a_stuck_sensor_corrupts_the_window() -> None:
    assert faults(GOOD.assign(price=20.0))["constant"].corrupt


def test_a_single_category_warrants_an_event_and_does_not_corrupt() -> None:
    fault = faults(GOOD.assign(shop="north"))["constant"]

    assert not fault.corrupt
    assert warrants_event(fault)


def test_prices_in_cents_are_a_unit_change() -> None:
    fault = faults(GOOD.assign(price=GOOD["price"] * 100))["unit_change"]

    assert fault.corrupt
    assert (fault.scale, fault.shift) == (100.0, 0.0)
    assert "now = 100 x before" in fault.detail


@pytest.mark.parametrize(("share", "faulty"), [(0.005, False), (0.08, True), (0.5, True)])
def test_some_rows_in_another_unit_are_far_values(share: float, *, faulty: bool) -> None:
    found = faults(spoil("price", 20_000.0, share))

    assert ("range" in found) is faulty
    assert not any(fault.corrupt for fault in found.values())


def test_a_column_that_grew_by_half_has_no_far_values() -> None:
    assert "range" not in faults(GOOD.assign(price=1.5 * GOOD["price"]))


def test_another_shape_is_no_unit_change() -> None:
    wider = np.random.default_rng(0).gamma(1.0, 60.0, 2000)

    assert "unit_change" not in faults(GOOD.assign(price=wider))


def test_labels_that_are_not_known_yet_are_no_missing_values() -> None:
    current = profile_table(GOOD.assign(revenue=None), like=REFERENCE, predictions=GOOD["revenue"])

    kinds = {
        fault.kind for fault in find_window_faults(REFERENCE, unlabelled(current), spec=make_spec())
    }

    assert kinds == set()


def unlabelled(current: WindowProfile) -> WindowProfile:
    columns = tuple(
        column.model_copy(update={"rows": 0, "nulls": 0})
        if column.column.name == "revenue"
        else column
        for column in current.columns
    )
    return current.model_copy(update={"columns": columns})


def test_a_fault_that_the_reference_has_too_is_no_fault() -> None:
    reference = profile_table(spoil("price", "n/a", 0.3).assign(revenue=-1.0))
    current = profile_table(spoil("price", "n/a", 0.3).assign(revenue=-1.0), like=reference)

    assert find_window_faults(reference, current, spec=make_spec()) == ()


def test_a_few_values_that_are_not_numbers_warrant_no_event() -> None:
    fault = faults(spoil("price", "n/a", 0.002))["retyped_column"]

    assert fault.fraction == pytest.approx(0.002)
    assert not warrants_event(fault)
    assert warrants_event(faults(spoil("price", "n/a", 0.06))["retyped_column"])


def flag(share: float, rows: int, *, seed: int) -> "pd.Series[float]":
    return pd.Series((np.random.default_rng(seed).random(rows) < share).astype("float64"))


def price_faults(old: Any, new: Any) -> dict[str, QualityFault]:
    """Return the faults of a window whose prices were `old` and are `new`."""
    reference = profile_table(make_table(len(old), price=np.asarray(old)))
    current = profile_table(make_table(len(new), seed=1, price=np.asarray(new)), like=reference)
    return {fault.kind: fault for fault in find_window_faults(reference, current, spec=make_spec())}


@pytest.mark.parametrize("share", [0.001, 0.0005])
def test_a_rare_flag_that_does_not_occur_is_not_constant(share: float) -> None:
    old = flag(share, 6000, seed=2)

    assert old.nunique() == 2
    assert "constant" not in price_faults(old, np.zeros(2000))


def test_a_frequent_flag_that_does_not_occur_is_constant() -> None:
    assert "constant" in price_faults(flag(0.03, 6000, seed=2), np.zeros(2000))


def test_a_flag_set_once_in_a_small_reference_need_not_occur_in_a_large_window() -> None:
    old = np.zeros(500)
    old[7] = 1.0

    assert "constant" not in price_faults(old, np.zeros(20_000))


@pytest.mark.parametrize("rows", [3, 2000])
def test_a_constant_sensor_is_stuck_however_short_the_window(rows: int) -> None:
    assert price_faults(make_table()["price"], np.full(rows, 20.0))["constant"].corrupt


def test_a_sensor_stuck_at_a_frequent_value_is_found() -> None:
    old = make_table()["price"].where(flag(0.1, 2000, seed=3) > 0, 0.0)

    assert price_faults(old, np.zeros(2000))["constant"].corrupt


def test_a_column_that_has_one_category_at_this_hour_is_not_constant() -> None:
    shop = REFERENCE.find("shop")
    assert shop
    hour = tuple(shop.rows * (name == "north") for name in shop.categories)
    columns = tuple(
        each.model_copy(update={"counts": (*hour, 0)}) if each.column.name == "shop" else each
        for each in REFERENCE.columns
    )
    matched = REFERENCE.model_copy(update={"columns": columns})
    current = profile_table(GOOD.assign(shop="north"), like=REFERENCE)

    assert find_window_faults(matched, current, spec=make_spec()) == ()


def gaps(share: float, rows: int, *, seed: int) -> "pd.Series[float]":
    return make_table(rows, seed=seed)["price"].where(flag(share, rows, seed=seed) == 0)


def test_missing_values_that_chance_explains_are_no_fault() -> None:
    old, new = make_table(200)["price"], make_table(200, seed=1)["price"]
    old[:40], new[:54] = np.nan, np.nan  # 20 % and 27 %: two standard errors

    assert "nulls" not in price_faults(old, new)


@pytest.mark.parametrize(("share", "corrupt"), [(0.05, False), (0.2, True)])
def test_missing_values_that_chance_does_not_explain_are_a_fault(
    share: float, *, corrupt: bool
) -> None:
    assert faults(spoil("price", None, share))["nulls"].corrupt is corrupt


def test_a_single_missing_value_is_no_fault_if_some_were_missing_before() -> None:
    assert "nulls" not in price_faults(gaps(0.05, 6000, seed=4), [np.nan, 1.0])


@pytest.mark.parametrize(("kind", "value"), [("range", -1.0), ("retyped_column", "n/a")])
@pytest.mark.parametrize(("now", "faulty"), [(0.006, False), (0.05, True)])
def test_bad_values_are_a_fault_if_there_are_more_than_chance_explains(
    kind: str, value: Any, now: float, *, faulty: bool
) -> None:
    reference = profile_table(spoil("price", value, 0.004))
    current = profile_table(spoil("price", value, now), like=reference)

    assert (
        kind in {f.kind for f in find_window_faults(reference, current, spec=make_spec())}
    ) is faulty


@pytest.mark.parametrize(("kind", "value"), [("range", -1.0), ("retyped_column", "n/a")])
def test_a_single_bad_value_is_a_fault_if_the_reference_has_none(kind: str, value: Any) -> None:
    assert faults(spoil("price", value, 0.0005))[kind].fraction == pytest.approx(0.0005)
