from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec, make_table, profile_table
from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import WindowProfile

REFERENCE = profile_table(make_table(6000))
GOOD = make_table(2000, seed=1)


def faults(frame: pd.DataFrame, **options: Any) -> dict[str, QualityFault]:
    current = profile_table(frame, like=REFERENCE, **options)
    return {fault.kind: fault for fault in find_window_faults(REFERENCE, current, spec=make_spec())}


def test_a_good_window_has_no_faults() -> None:
    assert faults(GOOD) == {}


def test_a_new_column_is_named_even_if_no_record_may_hold_its_name() -> None:
    fault = faults(GOOD.assign(**{"size (m²)": 1.0}))["new_column"]

    assert fault.column is None
    assert "size (m²)" in fault.detail
    assert not warrants_event(fault)


def test_many_repeated_rows_corrupt_the_window() -> None:
    fault = faults(pd.concat([GOOD, GOOD.head(1000)]))["duplicates"]

    assert fault.fraction == pytest.approx(1 / 3)
    assert fault.corrupt


def test_few_rows_for_the_length_of_the_window_are_a_fault() -> None:
    assert "few_rows" in faults(make_table(800, seed=1))


def test_a_window_without_rows_at_its_end_is_stale() -> None:
    assert "stale" in faults(GOOD, newest=START + 3 * WEEK + timedelta(days=4))


def test_an_empty_window_has_the_fault_that_it_is_empty_and_no_other() -> None:
    assert set(faults(make_table(0))) == {"no_rows"}


def test_a_window_whose_rows_collapsed_is_corrupt() -> None:
    fault = faults(make_table(190, seed=1))["few_rows"]

    assert fault.corrupt
    assert "190 rows; the reference suggests 2000" in fault.detail


def test_an_hour_with_few_rows_is_not_corrupt_because_hours_differ() -> None:
    current = profile_table(make_table(3, seed=1), like=REFERENCE)
    hour = current.window.model_copy(update={"end": current.window.start + timedelta(hours=1)})

    found = find_window_faults(
        REFERENCE, current.model_copy(update={"window": hour}), spec=make_spec()
    )

    assert [(fault.kind, fault.corrupt) for fault in found if fault.kind == "few_rows"] == [
        ("few_rows", False)
    ]


def repeating(rows: int, duplicates: int, **columns: Any) -> WindowProfile:
    found = profile_table(make_table(rows, seed=rows, **columns), like=REFERENCE)
    return found.model_copy(update={"duplicates": duplicates})


@pytest.mark.parametrize(
    ("before", "now", "faulty"),
    [
        ((2000, 184), (40_000, 15_600), False),  # as in the census of Massachusetts: 9 %, 39 %
        ((200, 60), (200, 74), False),  # 30 % and 37 %: 1.5 standard errors
        ((2000, 0), (6000, 9), False),
        ((2000, 184), (2000, 400), True),
        ((2000, 0), (2000, 140), True),
        ((40_000, 15_600), (2000, 1000), True),
    ],
)
def test_duplicates_are_expected_to_grow_with_the_rows_of_a_narrow_table(
    before: tuple[int, int], now: tuple[int, int], *, faulty: bool
) -> None:
    found = find_window_faults(repeating(*before), repeating(*now), spec=make_spec())

    assert ("duplicates" in {fault.kind for fault in found}) is faulty


@pytest.mark.parametrize("column", [{"price": 20.0}, {"price": np.nan}])
def test_rows_that_a_lost_column_no_longer_distinguishes_are_no_duplicates(
    column: dict[str, Any],
) -> None:
    found = find_window_faults(REFERENCE, repeating(2000, 1900, **column), spec=make_spec())

    assert "duplicates" not in {fault.kind for fault in found}
    assert found[0].corrupt


def test_more_duplicates_than_rows_that_lost_a_value_are_a_fault() -> None:
    some = GOOD["price"].where(GOOD.index >= 200)

    kinds = [
        {fault.kind for fault in find_window_faults(REFERENCE, found, spec=make_spec())}
        for found in (repeating(2000, 200, price=some), repeating(2000, 600, price=some))
    ]

    assert kinds == [{"nulls"}, {"nulls", "duplicates"}]
