"""Sets each column's threshold so that innocent windows raise no more events than is wanted.

What an innocent window looks like is learnt from the reference itself, in blocks that are profiled
over the same bins: see `detection.resampling`. What is told by columns is one of four senses that
may raise an event; the others (rows as a whole, realised and estimated performance) have intervals
of their own, which take the same `chance` instead of being resampled, for each pseudo-window would
need a model of its own.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import stats
from scipy.optimize import brentq

from trimtab.contracts.base import Fraction, NonNegativeDuration, Record
from trimtab.detection.calibration import autocorrelation
from trimtab.detection.calibration.extreme_values import TAIL, Method, upper_quantile
from trimtab.detection.calibration.resampling import (
    Shape,
    bin_counts,
    draw_windows,
    real_windows,
    stability_indices,
)
from trimtab.detection.calibration.seasonality import FEWEST_BLOCKS
from trimtab.detection.profiles.window_profile import WindowProfile

YEAR: Final = timedelta(days=365.25)
SENSES: Final = 4
"""Each gets an equal part of the budget (Bonferroni, 1936)."""
PLAIN: Final = 1.0
"""Index that counts as drift whatever few blocks leave open: that of a normal variable moved by
its standard deviation. More is asked for only of a column whose real windows went so far in the
reference, and no more than that."""
THIN: Final = 0.1
"""Share of the pseudo-windows that hold fewer rows than is usual."""
_TINY: Final = float(np.finfo(float).tiny)

Numbers = npt.NDArray[np.float64]


class Plan(Record):
    """How blocks make up a window, and how often an innocent one may alarm."""

    window: int = Field(ge=1)
    """Blocks in a window."""
    season: int = Field(default=1, ge=1)
    """Blocks until they recur, such as 7 days; 1 where they do not."""
    matched: bool = False
    """Whether a window is compared with the same phases of the reference only."""
    lag: int = Field(default=0, ge=0)
    """How many blocks earlier the window begins that it is compared with; 0 for all others."""
    windows_per_year: float = Field(gt=0.0)
    """End to end."""
    looks: float = Field(default=1.0, ge=1.0)
    """In the length of a window: more than one where windows overlap."""
    repeats: float = Field(default=0.0, ge=0.0)
    """How often in the length of a window the same drift is announced again, while it lasts."""
    false_alarms_per_year: float = Field(gt=0.0)
    minimum_rows: int = Field(default=1, ge=1)
    """Windows with fewer are not judged."""

    @property
    def chance(self) -> float:
        """Of a false alarm at one look through one of the senses; at most a half."""
        whole = min(self.false_alarms_per_year / self.windows_per_year / SENSES, 0.5)
        return chance_of_a_look(whole, looks=self.looks, repeats=self.repeats)


class Calibration(Record):
    """Thresholds that hold a false-alarm budget, and where they come from."""

    thresholds: dict[str, float] = Field(default_factory=dict)
    """Column to the population stability index that innocent windows reach too rarely to matter;
    the configured floor holds where it is more. Empty where nothing could be calibrated."""
    chance: Fraction
    """Of an innocent window raising an event through its columns when it is looked at; that
    through each of the other senses shall be the same."""
    false_alarms_per_year: float = Field(gt=0.0)
    windows_per_year: float = Field(gt=0.0)
    looks: float = Field(default=1.0, ge=1.0)
    """In the length of a window."""
    rows: float = Field(default=0.0, ge=0.0)
    """In a rather thin pseudo-window."""
    blocks: int = Field(ge=0)
    block: NonNegativeDuration
    """Length of one."""
    resamples: int = Field(default=0, ge=0)
    """Pseudo-windows."""
    method: Method = "none"
    """How the tail was found: read off, by a Pareto or a Gumbel law; none for too few blocks."""
    lasting: Fraction = 0.0
    """Correlation of neighbouring blocks, in the column where it is greatest."""
    caution: float = Field(default=1.0, ge=1.0)
    """Factor in the thresholds for what so few blocks do not show."""


def chance_of_a_look(chance: float, *, looks: float, repeats: float) -> float:
    """What each of so many looks at overlapping windows is allowed where all have that chance.

    Overlapping windows are alike: while one passes, a level that a normal variable exceeds by u
    standard deviations is newly exceeded u squared times as often as by single windows (clumps of a
    process whose correlation falls linearly: Pickands, 1969; Aldous, 1989), and told again after
    each cooldown. It is never more often than there are looks (Bonferroni, 1936).
    """

    def told(level: float) -> float:
        more = min(max(level * level + repeats, 1.0), looks)
        return more * float(stats.norm.sf(level))

    if looks <= 1.0:
        return chance
    least, most = (float(stats.norm.isf(each)) for each in (chance, chance / looks))
    level = brentq(lambda each: told(each) - chance, least - 0.1, most + 0.1)
    return float(stats.norm.sf(level))


def thresholds_for(calibration: Calibration, current: WindowProfile) -> dict[str, float]:
    """Column to threshold for a window of this many rows: thin ones stray farther by chance.

    The index's expectation goes with the inverse of the rows (Yurdakul, 2018).
    """
    thinner = max(calibration.rows / max(current.window.rows, 1), 1.0)
    return {name: value * thinner for name, value in calibration.thresholds.items()}


def calibrate(blocks: Sequence[WindowProfile], plan: Plan, *, seed: int = 0) -> Calibration:
    """Thresholds from the reference's blocks, oldest first, of equal length, over the same bins."""
    known: dict[str, Any] = {
        "chance": plan.chance,
        "false_alarms_per_year": plan.false_alarms_per_year,
        "windows_per_year": plan.windows_per_year,
        "looks": plan.looks,
        "blocks": len(blocks),
        "block": blocks[0].window.end - blocks[0].window.start if blocks else timedelta(0),
    }
    if len(blocks) < FEWEST_BLOCKS:
        return Calibration(**known)
    wanted = Shape(plan.window, plan.season, plan.matched, plan.lag)
    drawn, counts = wanted.within(len(blocks)), bin_counts(blocks)
    draw = draw_windows(drawn, len(blocks), seed=seed)
    rows = draw.window @ np.array([block.window.rows for block in blocks], dtype="float64")
    judged = rows * wanted.window / drawn.window >= plan.minimum_rows
    if judged.sum() < FEWEST_BLOCKS:
        return Calibration(**known)
    indices = stability_indices(counts, draw)[judged]
    found = _family(indices, counts, wanted, plan.chance)
    return Calibration(
        **known,
        **found,
        rows=float(np.quantile(rows[judged], THIN)) * wanted.window / drawn.window,
        resamples=len(indices),
    )


def _family(
    indices: Numbers, counts: dict[str, Numbers], wanted: Shape, chance: float
) -> dict[str, Any]:
    """One level for all columns: what alarms is the largest index in units of its own column's.

    A column's unit is its 90th percentile.
    """
    blocks = len(next(iter(counts.values())))
    drawn = wanted.within(blocks)
    units = np.maximum(np.quantile(indices, 1.0 - TAIL, axis=0), _TINY)
    maxima = (indices / units).max(axis=1)
    real = stability_indices(counts, real_windows(drawn, blocks))
    ratios = real.mean(axis=0) / np.maximum(indices.mean(axis=0), _TINY)
    estimated = [
        max(
            autocorrelation.of_neighbours(each, drawn.season),
            autocorrelation.of_stretches(float(ratio), drawn, blocks),
        )
        for each, ratio in zip(counts.values(), ratios, strict=True)
    ]
    lasting = autocorrelation.believed(estimated, blocks)
    strays = [autocorrelation.straying(each, wanted, drawn, blocks=blocks) for each in lasting]
    freedom = autocorrelation.independent(blocks - drawn.season, max(lasting))
    caution = autocorrelation.caution(maxima, (real / units).max(axis=1), chance, freedom=freedom)
    level, method = upper_quantile(maxima, chance)
    shorter = autocorrelation.straying(0.0, wanted, drawn, blocks=blocks)
    most = np.maximum(real.max(axis=0) * min(shorter, 1.0), PLAIN)
    thresholds = np.minimum(units * strays * level * caution, most)
    return {
        "thresholds": {name: float(t) for name, t in zip(counts, thresholds, strict=True)},
        "method": method,
        "lasting": max(lasting),
        "caution": caution,
    }
