"""Rows that come again under new times, and honest repeats of narrow tables."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.drift.made_up_rows import REFERENCE, build_table, make_week
from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.replayed_rows import find_replayed_rows, measure_repeated_share

NARROW = ["amount", "rain", "temperature", "speed", "machine"]
"""Features without which only a count and the region tell rows apart."""


def replay(share: float, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a week in which this share of rows is that of the week before, and that week."""
    before, frame = make_week(seed + 100), make_week(seed)
    rows = np.random.default_rng(seed).random(len(frame)) < share
    columns = frame.columns.drop("at")
    frame.loc[rows, columns] = before.loc[rows, columns]
    return frame, before


def find(frame: pd.DataFrame, before: pd.DataFrame, *excluded: str) -> QualityFault | None:
    tables = build_table(frame), build_table(before)
    return find_replayed_rows(*tables, REFERENCE.blocks, excluded=excluded)


@pytest.mark.parametrize(("share", "corrupt"), [(0.1, False), (0.5, True), (2.0, True)])
def test_rows_of_the_week_before_under_new_times_are_replayed(
    share: float, *, corrupt: bool
) -> None:
    fault = find(*replay(share))

    assert fault is not None
    assert (fault.kind, fault.corrupt) == ("replayed", corrupt)
    assert fault.fraction == pytest.approx(min(share, 1.0), abs=0.03)


def test_rows_that_repeat_within_the_week_under_new_times_are_replayed() -> None:
    frame = make_week()
    columns = frame.columns.drop("at")
    frame.loc[1000:1499, columns] = frame.loc[0:499, columns].to_numpy()

    fault = find(frame, make_week(101))

    assert fault is not None
    assert fault.fraction > 0.2


@pytest.mark.parametrize("seed", range(5))
def test_new_rows_are_no_replay(seed: int) -> None:
    assert find(make_week(seed), make_week(seed + 100)) is None


@pytest.mark.parametrize("seed", range(5))
def test_honest_repeats_of_a_narrow_table_are_no_replay(seed: int) -> None:
    assert find(make_week(seed), make_week(seed + 100), *NARROW) is None


def test_each_earlier_row_is_counted_once() -> None:
    rows, earlier = (np.array(each, dtype="uint64") for each in ([1, 1, 2, 3], [1, 2, 9]))

    assert measure_repeated_share(rows, earlier) == pytest.approx(0.5)
    assert measure_repeated_share(np.array([1, 1, 1], dtype="uint64"), earlier) > 0.6
    assert measure_repeated_share(earlier[:0], earlier) == 0.0
