from collections.abc import Callable

import numpy as np
import pytest

from tests.detection.streams import BlockMaker, make_stream, merge_blocks
from trimtab.detection.calibration.false_alarm_budget import (
    CalibrationPlan,
)
from trimtab.detection.calibration.thresholds import (
    Calibration,
    calibrate_thresholds,
    scale_thresholds,
)
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.profiles.window_profile import WindowProfile

WEEKLY = CalibrationPlan(window=7, season=7, windows_per_year=52, false_alarms_per_year=4)


def independent_days(seed: int, *, columns: int = 3) -> BlockMaker:
    """Return days that vary independently of each other."""
    random = np.random.default_rng(seed)

    def day(_place: int) -> np.ndarray:
        return random.normal(random.normal(0, 0.3, columns), 1.0, (200, columns))

    return day


def calibrate(
    blocks: list[WindowProfile], reference: int, plan: CalibrationPlan = WEEKLY
) -> Calibration:
    return calibrate_thresholds(blocks[:reference], plan)


@pytest.mark.parametrize(("budget", "most"), [(4.0, 4.0), (26.0, 26.0)])
def test_the_budget_holds_on_streams_without_drift(budget: float, most: float) -> None:
    plan = WEEKLY.model_copy(update={"false_alarms_per_year": budget})
    alarms, years = 0, 0.0
    for seed in range(12):
        blocks = make_stream(independent_days(seed), 28 + 26 * 7, reference=28)
        reference, limits = (
            merge_blocks(blocks[:28]),
            calibrate_thresholds(blocks[:28], plan).thresholds,
        )
        for week in range(26):
            window = merge_blocks(blocks[28 + 7 * week : 35 + 7 * week])
            moved = measure_feature_drift(reference, window, thresholds=limits)
            alarms += any(each.psi >= limits[each.name] for each in moved)
        years += 0.5

    assert alarms <= most * years


def test_a_larger_budget_lowers_thresholds() -> None:
    blocks = make_stream(independent_days(1), 28, reference=28)

    found = [
        calibrate(blocks, 28, WEEKLY.model_copy(update={"false_alarms_per_year": budget}))
        for budget in (0.1, 1.0, 12.0, 100.0)
    ]

    thresholds = [each.thresholds["x0"] for each in found]
    assert thresholds == sorted(thresholds, reverse=True)
    assert found[0].method == "pareto"
    assert found[-1].method == "empirical"


def test_a_column_that_varies_more_has_a_higher_threshold() -> None:
    random = np.random.default_rng(5)

    def day(_place: int) -> np.ndarray:
        return random.normal(random.normal(0, [0.05, 0.6]), 1.0, (300, 2))

    found = calibrate(make_stream(day, 42, reference=42), 42)

    assert found.thresholds["x1"] > 3 * found.thresholds["x0"]


def test_autocorrelation_raises_thresholds() -> None:
    def days(correlation: float) -> BlockMaker:
        random, place = np.random.default_rng(6), np.zeros(3)

        def day(_place: int) -> np.ndarray:
            nonlocal place
            place = correlation * place + random.normal(0, 0.3 * (1 - correlation**2) ** 0.5, 3)
            return random.normal(place, 1.0, (200, 3))

        return day

    independent, dependent = (
        calibrate(make_stream(days(correlation), 84, reference=84), 84)
        for correlation in (0.0, 0.8)
    )

    assert dependent.autocorrelation > 0.5 > independent.autocorrelation
    assert dependent.thresholds["x0"] > 2 * independent.thresholds["x0"]


def test_few_blocks_need_a_larger_correction() -> None:
    few, many = (calibrate(make_stream(independent_days(7), n, reference=n), n) for n in (14, 140))

    assert few.correction > many.correction


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_blocks_leave_the_configured_floor_alone(count: int) -> None:
    blocks = make_stream(independent_days(1), 4, reference=4)[:count]

    found = calibrate_thresholds(blocks, WEEKLY)

    assert (found.thresholds, found.method) == ({}, "none")


def test_a_window_with_few_rows_has_higher_thresholds() -> None:
    blocks = make_stream(independent_days(1), 28, reference=28)
    found = calibrate(blocks, 28)

    whole, thin = (scale_thresholds(found, merge_blocks(blocks[:days])) for days in (7, 1))

    assert whole == pytest.approx(found.thresholds)
    assert thin["x0"] == pytest.approx(7 * whole["x0"], rel=0.01)


@pytest.mark.parametrize(
    "make",
    [
        lambda _place: np.full((200, 2), 3.0),
        lambda place: np.full((200, 2), float(place % 2)),
        lambda place: np.ones((200 if place % 3 else 0, 2)),
        lambda _place: np.full((5, 2), 1e300),
    ],
    ids=["constant", "two values", "empty days", "huge"],
)
def test_odd_blocks_have_finite_thresholds(make: Callable[[int], np.ndarray]) -> None:
    found = calibrate(make_stream(make, 28, reference=28), 28)

    assert np.isfinite(list(found.thresholds.values())).all()


def test_a_calibration_that_an_earlier_release_stored_is_read() -> None:
    stored = {
        "thresholds": {"x0": 0.2}, "chance": 0.001, "false_alarms_per_year": 4.0,
        "windows_per_year": 52.0, "looks": 7.0, "rows": 900.0, "blocks": 28, "block": "P1D",
        "resamples": 1000, "method": "pareto", "lasting": 0.3, "caution": 1.5,
    }  # fmt: skip

    found = Calibration.model_validate(stored)

    assert (found.alpha, found.checks_per_window) == (0.001, 7.0)
    assert (found.autocorrelation, found.correction) == (0.3, 1.5)
    assert found.model_dump(mode="json") == stored


def test_a_calibration_survives_its_json() -> None:
    found = calibrate(make_stream(independent_days(1), 21, reference=21), 21)

    assert Calibration.model_validate_json(found.model_dump_json()) == found
