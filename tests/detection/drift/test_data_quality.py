from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, profile, spec, table
from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import WindowProfile

REFERENCE = profile(table(6000))
GOOD = table(2000, seed=1)


def faults(frame: pd.DataFrame, **options: Any) -> dict[str, QualityFault]:
    current = profile(frame, like=REFERENCE, **options)
    return {fault.kind: fault for fault in find_window_faults(REFERENCE, current, spec=spec())}


def spoilt(column: str, value: Any, share: float) -> pd.DataFrame:
    frame = GOOD.copy()
    frame[column] = frame[column].astype("object")
    frame.loc[: int(share * len(frame)) - 1, column] = value
    return frame


def test_a_good_window_has_no_faults() -> None:
    assert faults(GOOD) == {}


def test_negative_targets_are_dirt_and_not_corruption() -> None:
    fault = faults(spoilt("revenue", -8.0, 0.002))["range"]

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
        ("unseen_category", "shop", "moon"),
    ],
)
@pytest.mark.parametrize(("share", "corrupt"), [(0.1, False), (0.4, True)])
def test_a_fault_corrupts_the_window_when_a_fifth_of_the_rows_have_it(
    kind: str, column: str, value: Any, share: float, *, corrupt: bool
) -> None:
    fault = faults(spoilt(column, value, share))[kind]

    assert (fault.column, fault.corrupt) == (column, corrupt)
    assert fault.fraction == pytest.approx(share, abs=0.001)


def customers(seed: int, *, known: int = 1500, new: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    names = [f"c{n}" for n in random.integers(0, known, 1000)]
    strange = [f"new {n}" for n in range(1000)]
    return table(1000, seed=seed).assign(
        shop=np.where(random.random(1000) < new, strange, names).tolist()
    )


@pytest.mark.parametrize("known", [300, 1500, 5000])
def test_categories_that_the_reference_could_not_have_seen_yet_are_no_fault(known: int) -> None:
    reference = profile(customers(0, known=known))
    windows = [profile(customers(seed, known=known), like=reference) for seed in range(1, 11)]

    told = [find_window_faults(reference, current, spec=spec()) for current in windows]

    assert all(any(each.unseen for each in window.columns) for window in windows)
    assert [fault for found in told for fault in found] == []


@pytest.mark.parametrize(("new", "corrupt"), [(0.3, False), (0.6, True)])
def test_more_new_categories_than_expected_are_a_fault_of_the_excess(
    new: float, *, corrupt: bool
) -> None:
    reference = profile(customers(0))
    current = profile(customers(1, new=new), like=reference)

    (fault,) = find_window_faults(reference, current, spec=spec())

    # half of the rows are of customers that are new anyway, and so cannot become so
    assert fault.kind == "unseen_category"
    assert fault.fraction == pytest.approx(new / 2, abs=0.05)
    assert fault.corrupt is corrupt
    assert "were expected" in fault.detail


def test_without_a_count_of_what_was_seen_once_nothing_new_is_expected() -> None:
    reference = profile(customers(0))
    columns = (each.model_copy(update={"once": None}) for each in reference.columns)
    older = reference.model_copy(update={"columns": tuple(columns)})

    (fault,) = find_window_faults(older, profile(customers(1), like=older), spec=spec())

    assert (fault.kind, fault.corrupt) == ("unseen_category", True)


def test_a_column_that_holds_nothing_any_more_is_missing_and_corrupts() -> None:
    fault = faults(GOOD.assign(price=None))["missing_column"]

    assert fault.column == "price"
    assert fault.corrupt


def test_a_column_that_nobody_knows_is_told_whatever_its_name() -> None:
    fault = faults(GOOD.assign(**{"size (m²)": 1.0}))["new_column"]

    assert fault.column is None
    assert "size (m²)" in fault.detail
    assert not warrants_event(fault)


def test_a_stuck_sensor_corrupts() -> None:
    assert faults(GOOD.assign(price=20.0))["constant"].corrupt


def test_a_category_that_stands_alone_is_announced_and_does_not_corrupt() -> None:
    fault = faults(GOOD.assign(shop="north"))["constant"]

    assert not fault.corrupt
    assert warrants_event(fault)


def test_prices_in_cents_are_a_changed_unit() -> None:
    fault = faults(GOOD.assign(price=GOOD["price"] * 100))["unit_change"]

    assert fault.corrupt
    assert (fault.scale, fault.shift) == (100.0, 0.0)
    assert "now = 100 x before" in fault.detail


@pytest.mark.parametrize(("share", "told"), [(0.005, False), (0.08, True), (0.5, True)])
def test_a_part_in_another_unit_lies_far_beyond_all_before(share: float, *, told: bool) -> None:
    found = faults(spoilt("price", 20_000.0, share))

    assert ("range" in found) is told
    assert not any(fault.corrupt for fault in found.values())


def test_a_column_that_grew_by_half_lies_not_far() -> None:
    assert "range" not in faults(GOOD.assign(price=1.5 * GOOD["price"]))


def test_another_shape_is_no_changed_unit() -> None:
    wider = np.random.default_rng(0).gamma(1.0, 60.0, 2000)

    assert "unit_change" not in faults(GOOD.assign(price=wider))


def test_repeated_rows_are_counted() -> None:
    fault = faults(pd.concat([GOOD, GOOD.head(1000)]))["duplicates"]

    assert fault.fraction == pytest.approx(1 / 3)
    assert fault.corrupt


def test_a_thin_window_is_a_fault_beside_the_reference_of_the_same_length() -> None:
    assert "few_rows" in faults(table(800, seed=1))


def test_a_window_that_falls_silent_is_stale() -> None:
    assert "stale" in faults(GOOD, newest=START + 3 * WEEK + timedelta(days=4))


def test_labels_that_have_not_come_are_no_missing_values() -> None:
    current = profile(GOOD.assign(revenue=None), like=REFERENCE, predictions=GOOD["revenue"])

    kinds = {
        fault.kind for fault in find_window_faults(REFERENCE, unlabelled(current), spec=spec())
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


def test_an_empty_window_has_no_faults_to_speak_of() -> None:
    assert faults(table(0)) == {}


def test_a_window_whose_rows_collapsed_is_corrupt() -> None:
    fault = faults(table(190, seed=1))["few_rows"]

    assert fault.corrupt
    assert "190 rows; the reference suggests 2000" in fault.detail


def test_an_hour_of_few_rows_is_no_collapse_for_hours_differ() -> None:
    current = profile(table(3, seed=1), like=REFERENCE)
    hour = current.window.model_copy(update={"end": current.window.start + timedelta(hours=1)})

    found = find_window_faults(REFERENCE, current.model_copy(update={"window": hour}), spec=spec())

    assert [(fault.kind, fault.corrupt) for fault in found if fault.kind == "few_rows"] == [
        ("few_rows", False)
    ]


def test_what_was_wrong_before_is_no_new_fault() -> None:
    reference = profile(spoilt("price", "n/a", 0.3).assign(revenue=-1.0))
    current = profile(spoilt("price", "n/a", 0.3).assign(revenue=-1.0), like=reference)

    assert find_window_faults(reference, current, spec=spec()) == ()


def test_a_few_values_that_are_no_numbers_are_told_and_not_announced() -> None:
    fault = faults(spoilt("price", "n/a", 0.002))["retyped_column"]

    assert fault.fraction == pytest.approx(0.002)
    assert not warrants_event(fault)
    assert warrants_event(faults(spoilt("price", "n/a", 0.06))["retyped_column"])


def flag(share: float, rows: int, *, seed: int) -> "pd.Series[float]":
    return pd.Series((np.random.default_rng(seed).random(rows) < share).astype("float64"))


def of_price(old: Any, new: Any) -> dict[str, QualityFault]:
    """The faults of a window whose prices were those and are these."""
    reference = profile(table(len(old), price=np.asarray(old)))
    current = profile(table(len(new), seed=1, price=np.asarray(new)), like=reference)
    return {fault.kind: fault for fault in find_window_faults(reference, current, spec=spec())}


@pytest.mark.parametrize("share", [0.001, 0.0005])
def test_a_rare_flag_that_does_not_occur_is_no_constant(share: float) -> None:
    old = flag(share, 6000, seed=2)

    assert old.nunique() == 2
    assert "constant" not in of_price(old, np.zeros(2000))


def test_a_flag_too_frequent_to_miss_a_whole_window_is_a_constant() -> None:
    assert "constant" in of_price(flag(0.03, 6000, seed=2), np.zeros(2000))


def test_a_flag_met_once_in_a_small_reference_may_miss_a_large_window() -> None:
    old = np.zeros(500)
    old[7] = 1.0

    assert "constant" not in of_price(old, np.zeros(20_000))


@pytest.mark.parametrize("rows", [3, 2000])
def test_a_sensor_that_stands_still_is_stuck_however_short_the_window(rows: int) -> None:
    assert of_price(table()["price"], np.full(rows, 20.0))["constant"].corrupt


def test_a_sensor_stuck_at_what_was_frequent_before_is_found() -> None:
    old = table()["price"].where(flag(0.1, 2000, seed=3) > 0, 0.0)

    assert of_price(old, np.zeros(2000))["constant"].corrupt


def test_what_is_always_one_category_at_this_hour_is_no_constant() -> None:
    shop = REFERENCE.find("shop")
    assert shop
    hour = tuple(shop.rows * (name == "north") for name in shop.categories)
    columns = tuple(
        each.model_copy(update={"counts": (*hour, 0)}) if each.column.name == "shop" else each
        for each in REFERENCE.columns
    )
    matched = REFERENCE.model_copy(update={"columns": columns})
    current = profile(GOOD.assign(shop="north"), like=REFERENCE)

    assert find_window_faults(matched, current, spec=spec()) == ()


def gaps(share: float, rows: int, *, seed: int) -> "pd.Series[float]":
    return table(rows, seed=seed)["price"].where(flag(share, rows, seed=seed) == 0)


def test_missing_values_that_chance_explains_are_no_fault() -> None:
    old, new = table(200)["price"], table(200, seed=1)["price"]
    old[:40], new[:54] = np.nan, np.nan  # 20 % and 27 %: two standard errors

    assert "nulls" not in of_price(old, new)


@pytest.mark.parametrize(("share", "corrupt"), [(0.05, False), (0.2, True)])
def test_missing_values_that_chance_does_not_explain_are_a_fault(
    share: float, *, corrupt: bool
) -> None:
    assert faults(spoilt("price", None, share))["nulls"].corrupt is corrupt


def test_one_missing_value_of_one_is_an_accident_where_some_were_missing_before() -> None:
    assert "nulls" not in of_price(gaps(0.05, 6000, seed=4), [np.nan, 1.0])


@pytest.mark.parametrize(("kind", "value"), [("range", -1.0), ("retyped_column", "n/a")])
@pytest.mark.parametrize(("now", "told"), [(0.006, False), (0.05, True)])
def test_dirt_is_told_where_there_is_more_of_it_than_chance_explains(
    kind: str, value: Any, now: float, *, told: bool
) -> None:
    reference = profile(spoilt("price", value, 0.004))
    current = profile(spoilt("price", value, now), like=reference)

    assert (kind in {f.kind for f in find_window_faults(reference, current, spec=spec())}) is told


@pytest.mark.parametrize(("kind", "value"), [("range", -1.0), ("retyped_column", "n/a")])
def test_a_single_dirty_row_is_told_where_there_was_none(kind: str, value: Any) -> None:
    assert faults(spoilt("price", value, 0.0005))[kind].fraction == pytest.approx(0.0005)


def repeating(rows: int, duplicates: int, **columns: Any) -> WindowProfile:
    found = profile(table(rows, seed=rows, **columns), like=REFERENCE)
    return found.model_copy(update={"duplicates": duplicates})


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ((2000, 184), (40_000, 15_600), False),  # as in the census of Massachusetts: 9 %, 39 %
        ((200, 60), (200, 74), False),  # 30 % and 37 %: 1.5 standard errors
        ((2000, 0), (6000, 9), False),
        ((2000, 184), (2000, 400), True),
        ((2000, 0), (2000, 140), True),
        ((40_000, 15_600), (2000, 1000), True),
    ],
)
def test_more_rows_of_a_narrow_table_repeat_each_other_more(
    before: tuple[int, int], now: tuple[int, int], *, told: bool
) -> None:
    found = find_window_faults(repeating(*before), repeating(*now), spec=spec())

    assert ("duplicates" in {fault.kind for fault in found}) is told


@pytest.mark.parametrize("column", [{"price": 20.0}, {"price": np.nan}])
def test_rows_that_a_column_does_not_tell_apart_any_more_are_not_told_as_repeated(
    column: dict[str, Any],
) -> None:
    found = find_window_faults(REFERENCE, repeating(2000, 1900, **column), spec=spec())

    assert "duplicates" not in {fault.kind for fault in found}
    assert found[0].corrupt


def test_rows_repeated_beyond_those_that_lost_a_value_are_told() -> None:
    some = spoilt("price", None, 0.1)["price"]

    kinds = [
        {fault.kind for fault in find_window_faults(REFERENCE, found, spec=spec())}
        for found in (repeating(2000, 200, price=some), repeating(2000, 600, price=some))
    ]

    assert kinds == [{"nulls"}, {"nulls", "duplicates"}]
