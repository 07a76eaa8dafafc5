"""Makes pseudo-windows of the reference's own blocks, each with what it is compared with.

Whole blocks are drawn, never rows, so that what depends on each other stays together (Künsch,
1989; Politis and Romano, 1994); each stands for one of the same phase of the season. Since counts
add up, a pseudo-window is a row of weights times the blocks' counts.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trimtab.detection.drift.effect_sizes import SMALLEST_SHARE
from trimtab.detection.profiles.window_profile import WindowProfile, coarsen_bins

RESAMPLES: Final = 1000
"""Pseudo-windows that are drawn, about."""

Numbers = npt.NDArray[np.float64]


class Draw(NamedTuple):
    """Weights of the blocks, pseudo-windows by blocks."""

    window: Numbers
    rest: Numbers
    """What the pseudo-window is compared with: blocks that are not in it."""


class Shape(NamedTuple):
    """How blocks make up a window."""

    window: int
    """Blocks in a window."""
    season: int
    """Blocks until they recur; 1 where they do not."""
    matched: bool
    """Whether a window is compared with the same phases of the reference only."""
    lag: int = 0
    """How many blocks earlier the window begins that it is compared with; 0 for all others."""

    def within(self, blocks: int) -> "Shape":
        """So short that at least half of each phase is left; without phases where each has one."""
        season = self.season if blocks >= 2 * self.season else 1
        longest = blocks // (2 * season) * season
        return Shape(min(self.window, longest), season, self.matched and season > 1, self.lag)


def draw_windows(shape: Shape, blocks: int, *, seed: int) -> Draw:
    """Blocks drawn without replacement, as many of each phase as a real window has."""
    if shape.window == 1:  # a block is a window: each is a real one, there is nothing to draw
        return real_windows(shape, blocks)
    random = np.random.default_rng(seed)
    phases = np.arange(blocks) % shape.season
    starts = range(1 if shape.window % shape.season == 0 else shape.season)
    each = -(-RESAMPLES // len(starts))
    ranks = [_ranks(phases, _wanted(start, shape), each, random) for start in starts]
    order = np.concatenate(ranks)
    first = (order < 1.0).astype("float64")
    if shape.lag:
        return Draw(first, ((order >= 1.0) & (order < 2.0)).astype("float64"))  # noqa: PLR2004 - the next
    return _beside(first, shape)


def real_windows(shape: Shape, blocks: int) -> Draw:
    """Every stretch of neighbouring blocks that is as long as a window."""
    lag = shape.lag if shape.lag + shape.window <= blocks else 0
    starts = np.arange(lag, blocks - shape.window + 1)[:, None]
    places = np.arange(blocks)[None, :]
    inside = ((places >= starts) & (places < starts + shape.window)).astype("float64")
    return Draw(inside, np.roll(inside, -lag, axis=1)) if lag else _beside(inside, shape)


def bin_counts(blocks: Sequence[WindowProfile]) -> dict[str, Numbers]:
    """Column to the counts of its ten bins, or of its categories: blocks by bins."""
    names = [each.column.name for each in blocks[0].columns]
    return {
        name: np.array(
            [coarsen_bins(block.columns[place]).counts for block in blocks], dtype="float64"
        )
        for place, name in enumerate(names)
    }


def stability_indices(counts: Mapping[str, Numbers], draw: Draw) -> Numbers:
    """Population stability index of each column: pseudo-windows by columns; 0 beside nothing."""
    found = [indices_between(draw.rest @ each, draw.window @ each) for each in counts.values()]
    return np.column_stack(found)


def indices_between(before: Numbers, now: Numbers) -> Numbers:
    """The same of counts side by side: windows by bins, or one row for all windows."""
    full = (before.sum(axis=1) > 0) & (now.sum(axis=1) > 0)
    p, q = (
        np.maximum(each / np.maximum(each.sum(axis=1, keepdims=True), 1.0), SMALLEST_SHARE)
        for each in (before, now)
    )
    index: Numbers = ((q - p) * np.log(q / p)).sum(axis=1) * full
    return index


def _wanted(start: int, shape: Shape) -> npt.NDArray[np.int64]:
    """How many blocks of each phase a window has that begins in phase `start`."""
    inside = (start + np.arange(shape.window)) % shape.season
    return np.bincount(inside, minlength=shape.season)


def _ranks(
    phases: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    count: int,
    random: np.random.Generator,
) -> Numbers:
    """In which of the windows drawn one after the other each block lands: in [0, 1) the first.

    A window takes so many blocks of each phase; `count` times.
    """
    order = np.full((count, len(phases)), np.inf)
    for phase in np.flatnonzero(wanted):
        places = np.flatnonzero(phases == phase)
        ranks = random.random((count, len(places))).argsort(axis=1).argsort(axis=1)
        order[:, places] = ranks / wanted[phase]
    return order


def _beside(window: Numbers, shape: Shape) -> Draw:
    """With each pseudo-window the blocks outside; where matched, in its own make-up of phases."""
    rest = 1.0 - window
    if shape.matched:
        phases = np.eye(shape.season)[np.arange(window.shape[1]) % shape.season]
        rest *= ((window @ phases) / np.maximum(rest @ phases, 1.0)) @ phases.T
    return Draw(window, rest)
