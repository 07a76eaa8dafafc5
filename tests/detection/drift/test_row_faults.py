"""Faults that hold for a part of the rows, and clean weeks in which none is found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.drift.made_up_rows import find_faults, make_week
from trimtab.contracts.drift import QualityFault

Where = Callable[[pd.DataFrame], Any]


def is_north(frame: pd.DataFrame) -> Any:
    return frame["region"] == "north"


def is_machine_3(frame: pd.DataFrame) -> Any:
    return frame["machine"] == "m3"


def is_any(share: float) -> Where:
    return lambda frame: np.random.default_rng(5).random(len(frame)) < share


def is_day(first: int, last: int) -> Where:
    def choose(frame: pd.DataFrame) -> Any:
        return ((frame["at"] - frame["at"].min()) // pd.Timedelta(days=1)).between(first, last)

    return choose


def spoil(column: str, where: Where, change: Callable[[Any], Any], seed: int = 1) -> pd.DataFrame:
    """Return a clean week but for the values of a column in some of its rows."""
    frame = make_week(seed).astype({"count": "float64"})
    rows = where(frame)
    frame.loc[rows, column] = change(frame.loc[rows, column])
    return frame


def find_only_fault(frame: pd.DataFrame) -> QualityFault:
    (fault,) = find_faults(frame)
    return fault


@pytest.mark.parametrize(
    ("column", "where", "factor", "segment", "share"),
    [
        ("speed", is_north, 1.609344, "region = north", 0.25),
        ("amount", is_north, 100.0, "region = north", 0.25),
        ("speed", is_any(0.5), 100.0, "", 0.5),
        ("amount", is_any(0.15), 1000.0, "", 0.15),
        ("speed", is_day(4, 6), 10.0, "3 of 7 days", 3 / 7),
    ],
)
def test_another_unit_in_a_part_of_the_rows_is_a_unit_change(
    column: str, where: Where, factor: float, segment: str, share: float
) -> None:
    fault = find_only_fault(spoil(column, where, lambda values: values * factor))

    assert (fault.kind, fault.column, fault.segment) == ("unit_change", column, segment)
    assert fault.fraction == pytest.approx(share, abs=0.04)
    assert fault.scale == pytest.approx(factor, rel=0.01)
    assert fault.corrupt


@pytest.mark.parametrize(
    ("column", "where", "value", "corrupt"),
    [
        ("speed", is_any(0.15), 0.0, True),
        ("speed", is_any(0.15), 50.0, True),
        ("count", is_any(0.2), 0.0, True),
        ("output", is_any(0.2), 0.0, True),
        ("speed", is_any(0.03), -999.0, False),
    ],
)
def test_a_value_that_became_frequent_is_a_default(
    column: str, where: Where, value: float, *, corrupt: bool
) -> None:
    fault = find_only_fault(spoil(column, where, lambda _: value))

    assert (fault.kind, fault.column, fault.corrupt) == ("default_value", column, corrupt)
    assert f"{value:.6g}" in fault.detail


def test_a_stuck_machine_is_named() -> None:
    fault = find_only_fault(spoil("speed", is_machine_3, lambda _: 61.3))

    assert (fault.kind, fault.segment) == ("default_value", "machine = m3")


def test_a_run_of_one_value_is_a_constant_for_a_part() -> None:
    frame = make_week()
    frame.loc[450:800, "speed"] = 51.3

    fault = find_only_fault(frame)

    assert (fault.kind, fault.segment) == ("constant", "consecutive rows")


def test_machines_that_are_each_stuck_at_a_value_of_their_own_for_two_days_are_an_outage() -> None:
    frame = make_week()
    rows = is_day(2, 3)(frame)
    last = frame[rows].groupby("machine")["speed"].first()
    frame.loc[rows, "speed"] = frame.loc[rows, "machine"].map(last)

    fault = find_only_fault(frame)

    assert (fault.kind, fault.segment) == ("outage", "2 of 7 days")


@pytest.mark.parametrize(
    ("where", "kind", "segment"),
    [
        (is_day(2, 3), "outage", "2 of 7 days"),
        (is_day(5, 6), "nulls", "2 of 7 days"),
        (is_north, "nulls", "region = north"),
        (is_any(0.3), "nulls", ""),
    ],
)
def test_missing_values_are_located(where: Where, kind: str, segment: str) -> None:
    fault = find_only_fault(spoil("speed", where, lambda _: np.nan))

    assert (fault.kind, fault.segment, fault.corrupt) == (kind, segment, True)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("rain", lambda values: values * 0),
        ("amount", lambda values: values**1.3),
        ("temperature", lambda values: values + 5),
        ("count", lambda values: values // 2),
        ("speed", lambda values: values * 1.2),
    ],
)
def test_a_change_of_the_world_is_no_fault(column: str, change: Callable[[Any], Any]) -> None:
    assert find_faults(spoil(column, is_any(2.0), change)) == ()


@pytest.mark.parametrize("seed", range(200, 212))
def test_a_clean_week_has_no_fault(seed: int) -> None:
    assert find_faults(make_week(seed)) == ()
