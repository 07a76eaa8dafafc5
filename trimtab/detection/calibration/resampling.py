"""Makes pseudo-windows from blocks of the reference, each with the blocks it is compared with.

Whole blocks are drawn, never rows, so that dependent rows stay together (block bootstrap: Künsch,
1989; Politis and Romano, 1994); each block stands for one of the same phase of the season. Counts
add up, so a pseudo-window is a row of weights times the blocks' counts.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from trimtab.detection.drift.effect_sizes import MIN_BIN_SHARE
from trimtab.detection.profiles.arrays import FloatArray, IntArray
from trimtab.detection.profiles.window_profile import WindowProfile, coarsen_bins

TARGET_RESAMPLES: Final = 1000
"""Pseudo-windows that are drawn, about."""
_SECOND_WINDOW_END: Final = 2.0
"""Rank at which the second window drawn ends: the first has ranks 0 to 1, the second 1 to 2."""


class PseudoWindows(NamedTuple):
    """Weights of the blocks in each pseudo-window, and in what it is compared with."""

    window: FloatArray
    """Shape (pseudo-windows, blocks)."""
    rest: FloatArray
    """Weights of the blocks compared with it, none of which are in it; of the same shape."""


class WindowShape(NamedTuple):
    """How blocks make up a window."""

    window: int
    """Number of blocks in a window."""
    season: int
    """Number of blocks in a season; 1 if there is none."""
    matched: bool
    """Whether a window is compared with the same phases of the reference only."""
    lag: int = 0
    """Number of blocks by which the window that it is compared with begins earlier; 0 if it is
    compared with the whole reference."""

    def fit_into(self, blocks: int) -> "WindowShape":
        """Return the shape, so short that at least half of the blocks of each phase are left.

        Phases are ignored if the blocks are less than two seasons.
        """
        season = self.season if blocks >= 2 * self.season else 1
        longest = blocks // (2 * season) * season
        matched = self.matched and season > 1
        return WindowShape(min(self.window, longest), season, matched, self.lag)


def draw_pseudo_windows(shape: WindowShape, blocks: int, *, seed: int) -> PseudoWindows:
    """Draw blocks without replacement, as many of each phase as a real window has."""
    if shape.window == 1:  # every block is a real window: there is nothing to draw
        return list_real_windows(shape, blocks)
    random = np.random.default_rng(seed)
    phases = np.arange(blocks) % shape.season
    starts = range(1 if shape.window % shape.season == 0 else shape.season)
    draws = -(-TARGET_RESAMPLES // len(starts))
    ranks = np.concatenate(
        [_draw_window_ranks(phases, _count_phases(start, shape), draws, random) for start in starts]
    )
    first = (ranks < 1.0).astype("float64")
    if shape.lag:
        second = ((ranks >= 1.0) & (ranks < _SECOND_WINDOW_END)).astype("float64")
        return PseudoWindows(first, second)
    return _compare_with_rest(first, shape)


def list_real_windows(shape: WindowShape, blocks: int) -> PseudoWindows:
    """Return every sequence of neighbouring blocks that is as long as a window."""
    lag = shape.lag if shape.lag + shape.window <= blocks else 0
    starts = np.arange(lag, blocks - shape.window + 1)[:, None]
    positions = np.arange(blocks)[None, :]
    inside = (positions >= starts) & (positions < starts + shape.window)
    weights = inside.astype("float64")
    if lag:
        return PseudoWindows(weights, np.roll(weights, -lag, axis=1))
    return _compare_with_rest(weights, shape)


def collect_bin_counts(blocks: Sequence[WindowProfile]) -> dict[str, FloatArray]:
    """Return the counts of each column's ten bins, or categories, in shape (blocks, bins)."""
    names = [each.column.name for each in blocks[0].columns]
    return {
        name: np.array(
            [coarsen_bins(block.columns[index]).counts for block in blocks], dtype="float64"
        )
        for index, name in enumerate(names)
    }


def compute_psi_by_column(counts: Mapping[str, FloatArray], windows: PseudoWindows) -> FloatArray:
    """Return the population stability index of each column in shape (pseudo-windows, columns)."""
    indices = [
        compute_psi_by_window(windows.rest @ each, windows.window @ each)
        for each in counts.values()
    ]
    return np.column_stack(indices)


def compute_psi_by_window(before: FloatArray, now: FloatArray) -> FloatArray:
    """Return the population stability index of each row of counts, or 0 if either row is empty.

    Both have shape (windows, bins); `before` may have one row for all windows.
    """
    full = (before.sum(axis=1) > 0) & (now.sum(axis=1) > 0)
    p, q = (
        np.maximum(each / np.maximum(each.sum(axis=1, keepdims=True), 1.0), MIN_BIN_SHARE)
        for each in (before, now)
    )
    index: FloatArray = ((q - p) * np.log(q / p)).sum(axis=1) * full
    return index


def _count_phases(start: int, shape: WindowShape) -> IntArray:
    """Return how many blocks of each phase a window has that begins in phase `start`."""
    inside = (start + np.arange(shape.window)) % shape.season
    return np.bincount(inside, minlength=shape.season)


def _draw_window_ranks(
    phases: IntArray, wanted: IntArray, draws: int, random: np.random.Generator
) -> FloatArray:
    """Draw windows one after the other until no blocks are left, `draws` times.

    `wanted` is the number of blocks of each phase that a window takes. The result has shape
    (draws, blocks): ranks from 0 to 1 are in the first window, from 1 to 2 in the second; blocks of
    phases that no window takes have an infinite rank.
    """
    order = np.full((draws, len(phases)), np.inf)
    for phase in np.flatnonzero(wanted):
        positions = np.flatnonzero(phases == phase)
        ranks = random.random((draws, len(positions))).argsort(axis=1).argsort(axis=1)
        order[:, positions] = ranks / wanted[phase]
    return order


def _compare_with_rest(window: FloatArray, shape: WindowShape) -> PseudoWindows:
    """Compare each pseudo-window with the blocks outside, in its own mix of phases if matched."""
    rest = 1.0 - window
    if shape.matched:
        phases = np.eye(shape.season)[np.arange(window.shape[1]) % shape.season]
        rest *= ((window @ phases) / np.maximum(rest @ phases, 1.0)) @ phases.T
    return PseudoWindows(window, rest)
