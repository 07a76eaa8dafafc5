from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.drift import QualityFault
from detection.profile import WindowProfile
from detection.quality import announces, find_faults
from tests.detection.windows import START, WEEK, profile, spec, table

REFERENCE = profile(table(6000))
GOOD = table(2000, seed=1)


def faults(frame: pd.DataFrame, **options: Any) -> dict[str, QualityFault]:
    current = profile(frame, like=REFERENCE, **options)
    return {fault.kind: fault for fault in find_faults(REFERENCE, current, spec=spec())}


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
    assert not announces(fault)
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


def test_a_column_that_holds_nothing_any_more_is_missing_and_corrupts() -> None:
    fault = faults(GOOD.assign(price=None))["missing_column"]

    assert fault.column == "price"
    assert fault.corrupt


def test_a_column_that_nobody_knows_is_told_whatever_its_name() -> None:
    fault = faults(GOOD.assign(**{"size (m²)": 1.0}))["new_column"]

    assert fault.column is None
    assert "size (m²)" in fault.detail
    assert not announces(fault)


def test_a_stuck_sensor_corrupts() -> None:
    assert faults(GOOD.assign(price=20.0))["constant"].corrupt


def test_a_category_that_stands_alone_is_announced_and_does_not_corrupt() -> None:
    fault = faults(GOOD.assign(shop="north"))["constant"]

    assert not fault.corrupt
    assert announces(fault)


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

    kinds = {fault.kind for fault in find_faults(REFERENCE, unlabelled(current), spec=spec())}

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
    assert "190 rows where the reference suggests 2000" in fault.detail


def test_an_hour_of_few_rows_is_no_collapse_for_hours_differ() -> None:
    current = profile(table(3, seed=1), like=REFERENCE)
    hour = current.window.model_copy(update={"end": current.window.start + timedelta(hours=1)})

    found = find_faults(REFERENCE, current.model_copy(update={"window": hour}), spec=spec())

    assert [(fault.kind, fault.corrupt) for fault in found if fault.kind == "few_rows"] == [
        ("few_rows", False)
    ]


def test_what_was_wrong_before_is_no_new_fault() -> None:
    reference = profile(spoilt("price", "n/a", 0.3).assign(revenue=-1.0))
    current = profile(spoilt("price", "n/a", 0.3).assign(revenue=-1.0), like=reference)

    assert find_faults(reference, current, spec=spec()) == ()


def test_a_few_values_that_are_no_numbers_are_told_and_not_announced() -> None:
    fault = faults(spoilt("price", "n/a", 0.002))["retyped_column"]

    assert fault.fraction == pytest.approx(0.002)
    assert not announces(fault)
    assert announces(faults(spoilt("price", "n/a", 0.06))["retyped_column"])
