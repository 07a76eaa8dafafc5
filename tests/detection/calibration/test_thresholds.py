from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from tests.detection.streams import Maker, stream, together
from trimtab.detection.calibration import autocorrelation
from trimtab.detection.calibration.false_alarm_budget import (
    CalibrationPlan,
    compute_alpha_per_check,
)
from trimtab.detection.calibration.resampling import (
    PseudoWindows,
    WindowShape,
    collect_bin_counts,
    compute_psi_by_column,
    draw_pseudo_windows,
)
from trimtab.detection.calibration.thresholds import (
    Calibration,
    calibrate_thresholds,
    scale_thresholds,
)
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.drift.effect_sizes import compute_psi
from trimtab.detection.profiles.window_profile import WindowProfile, coarsen_bins, compute_shares

WEEKLY = CalibrationPlan(window=7, season=7, windows_per_year=52, false_alarms_per_year=4)


def calm(seed: int, *, columns: int = 3) -> Maker:
    """Days that differ from each other, each by itself."""
    chance = np.random.default_rng(seed)

    def day(_place: int) -> np.ndarray:
        return chance.normal(chance.normal(0, 0.3, columns), 1.0, (200, columns))

    return day


def calibrated(
    blocks: list[WindowProfile], reference: int, plan: CalibrationPlan = WEEKLY
) -> Calibration:
    return calibrate_thresholds(blocks[:reference], plan)


def test_the_index_of_pseudo_windows_is_that_of_profiles() -> None:
    blocks = stream(calm(1), 14, reference=14)
    window, rest = np.zeros((1, 14)), np.ones((1, 14))
    window[0, :5], rest[0, :5] = 1.0, 0.0

    found = compute_psi_by_column(collect_bin_counts(blocks), PseudoWindows(window, rest))

    now, before = together(blocks[:5]), together(blocks[5:])
    exact = [
        compute_psi(compute_shares(coarsen_bins(one)), compute_shares(coarsen_bins(other)))
        for one, other in zip(before.columns, now.columns, strict=True)
    ]
    np.testing.assert_allclose(found[0], exact)


def test_a_pseudo_week_holds_each_weekday_once_and_is_compared_with_the_others() -> None:
    draw = draw_pseudo_windows(WindowShape(7, 7, matched=False), 28, seed=0)

    assert draw.window.shape == (1000, 28)
    weekdays = draw.window.reshape(1000, 4, 7).sum(axis=1)
    assert (weekdays == 1).all()
    assert (draw.window + draw.rest == 1).all()


def test_a_matched_window_is_compared_with_its_own_hours_only() -> None:
    draw = draw_pseudo_windows(WindowShape(1, 24, matched=True), 24 * 5, seed=0)

    assert draw.window.shape == (120, 120)
    assert np.flatnonzero(draw.rest[30]).tolist() == [6, 54, 78, 102]


def test_the_window_before_is_a_window_too() -> None:
    drawn = draw_pseudo_windows(WindowShape(3, 1, matched=False, lag=3), 30, seed=0)
    hourly = draw_pseudo_windows(WindowShape(1, 24, matched=False, lag=24), 24 * 3, seed=0)

    assert (drawn.window.sum(axis=1) == 3).all()
    assert (drawn.rest.sum(axis=1) == 3).all()
    assert (drawn.window * drawn.rest == 0).all()
    assert len(hourly.window) == 48
    assert np.flatnonzero(hourly.rest[0]).tolist() == [0]
    assert np.flatnonzero(hourly.window[0]).tolist() == [24]


@pytest.mark.parametrize(("budget", "most"), [(4.0, 4.0), (26.0, 26.0)])
def test_the_budget_holds_on_streams_without_drift(budget: float, most: float) -> None:
    plan = WEEKLY.model_copy(update={"false_alarms_per_year": budget})
    alarms, years = 0, 0.0
    for seed in range(12):
        blocks = stream(calm(seed), 28 + 26 * 7, reference=28)
        reference, limits = (
            together(blocks[:28]),
            calibrate_thresholds(blocks[:28], plan).thresholds,
        )
        for week in range(26):
            window = together(blocks[28 + 7 * week : 35 + 7 * week])
            moved = measure_feature_drift(reference, window, thresholds=limits)
            alarms += any(each.psi >= limits[each.name] for each in moved)
        years += 0.5

    assert alarms <= most * years


def test_more_alarms_allowed_are_lower_thresholds() -> None:
    blocks = stream(calm(1), 28, reference=28)

    found = [
        calibrated(blocks, 28, WEEKLY.model_copy(update={"false_alarms_per_year": budget}))
        for budget in (0.1, 1.0, 12.0, 100.0)
    ]

    thresholds = [each.thresholds["x0"] for each in found]
    assert thresholds == sorted(thresholds, reverse=True)
    assert found[0].method == "pareto"
    assert found[-1].method == "empirical"


def test_a_column_that_strays_anyway_has_a_higher_threshold() -> None:
    chance = np.random.default_rng(5)

    def day(_place: int) -> np.ndarray:
        return chance.normal(chance.normal(0, [0.05, 0.6]), 1.0, (300, 2))

    found = calibrated(stream(day, 42, reference=42), 42)

    assert found.thresholds["x1"] > 3 * found.thresholds["x0"]


def test_what_lasts_from_day_to_day_asks_for_more() -> None:
    def days(lasting: float) -> Maker:
        chance, place = np.random.default_rng(6), np.zeros(3)

        def day(_place: int) -> np.ndarray:
            nonlocal place
            place = lasting * place + chance.normal(0, 0.3 * (1 - lasting**2) ** 0.5, 3)
            return chance.normal(place, 1.0, (200, 3))

        return day

    alone, alike = (
        calibrated(stream(days(lasting), 84, reference=84), 84) for lasting in (0.0, 0.8)
    )

    assert alike.autocorrelation > 0.5 > alone.autocorrelation
    assert alike.thresholds["x0"] > 2 * alone.thresholds["x0"]


def test_few_blocks_ask_for_more() -> None:
    few, many = (calibrated(stream(calm(7), n, reference=n), n) for n in (14, 140))

    assert few.correction > many.correction


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_blocks_leave_the_configured_floor_alone(count: int) -> None:
    blocks = stream(calm(1), 4, reference=4)[:count]

    found = calibrate_thresholds(blocks, WEEKLY)

    assert (found.thresholds, found.method) == ({}, "none")


def test_a_thin_window_may_stray_farther() -> None:
    blocks = stream(calm(1), 28, reference=28)
    found = calibrated(blocks, 28)

    whole, thin = (scale_thresholds(found, together(blocks[:days])) for days in (7, 1))

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
    found = calibrated(stream(make, 28, reference=28), 28)

    assert np.isfinite(list(found.thresholds.values())).all()


def test_a_calibration_survives_its_json() -> None:
    found = calibrated(stream(calm(1), 21, reference=21), 21)

    assert Calibration.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("looks", [7, 168])
@pytest.mark.parametrize("cooldown", [24, 168])
def test_the_budget_holds_however_often_overlapping_windows_are_looked_at(
    looks: int, cooldown: int
) -> None:
    weeks, allowed = 52 * 200, 0.02
    hours = np.random.default_rng(2).normal(size=168 * weeks)
    week = np.convolve(hours, np.ones(168), "valid")[:: 168 // looks] / 168**0.5
    chance = compute_alpha_per_check(allowed, checks=looks, repeats=168 / cooldown)
    told, quiet = 0, -cooldown
    alarms = np.flatnonzero(week > stats.norm.isf(chance)) * (168 // looks)
    for place in alarms.tolist():
        if place - quiet >= cooldown:
            told, quiet = told + 1, place

    assert 0.999 * allowed / looks < chance < allowed
    assert 0.2 * allowed < told / weeks < 1.2 * allowed


def test_windows_end_to_end_have_the_whole_chance() -> None:
    assert compute_alpha_per_check(0.01, checks=1, repeats=1) == 0.01
    assert compute_alpha_per_check(0.5, checks=168, repeats=1) >= 0.5 / 168


def test_a_column_is_not_believed_to_last_much_less_than_all_together() -> None:
    few, many = (
        autocorrelation.combine_correlations([0.0, 0.3, 0.6], 21),
        autocorrelation.combine_correlations([0.0, 0.3, 0.6], 210),
    )

    assert few[2] == many[2] == 0.6
    assert few[0] == few[1] > many[0] == many[1] > 0.3
    assert max(autocorrelation.combine_correlations([0.95], 4)) == autocorrelation.MAX_CORRELATION
