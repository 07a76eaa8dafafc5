import numpy as np

from tests.detection.streams import BlockMaker, make_stream, merge_blocks
from trimtab.detection.calibration.resampling import (
    PseudoWindows,
    WindowShape,
    collect_bin_counts,
    compute_psi_by_column,
    draw_pseudo_windows,
)
from trimtab.detection.drift.effect_sizes import compute_psi
from trimtab.detection.profiles.window_profile import coarsen_bins, compute_shares


def independent_days(seed: int, *, columns: int = 3) -> BlockMaker:
    """Return days that vary independently of each other."""
    random = np.random.default_rng(seed)

    def day(_place: int) -> np.ndarray:
        return random.normal(random.normal(0, 0.3, columns), 1.0, (200, columns))

    return day


def test_the_stability_index_of_pseudo_windows_agrees_with_that_of_profiles() -> None:
    blocks = make_stream(independent_days(1), 14, reference=14)
    window, rest = np.zeros((1, 14)), np.ones((1, 14))
    window[0, :5], rest[0, :5] = 1.0, 0.0

    found = compute_psi_by_column(collect_bin_counts(blocks), PseudoWindows(window, rest))

    now, before = merge_blocks(blocks[:5]), merge_blocks(blocks[5:])
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


def test_a_window_with_a_lag_is_compared_with_another_window() -> None:
    drawn = draw_pseudo_windows(WindowShape(3, 1, matched=False, lag=3), 30, seed=0)
    hourly = draw_pseudo_windows(WindowShape(1, 24, matched=False, lag=24), 24 * 3, seed=0)

    assert (drawn.window.sum(axis=1) == 3).all()
    assert (drawn.rest.sum(axis=1) == 3).all()
    assert (drawn.window * drawn.rest == 0).all()
    assert len(hourly.window) == 48
    assert np.flatnonzero(hourly.rest[0]).tolist() == [0]
    assert np.flatnonzero(hourly.window[0]).tolist() == [24]
