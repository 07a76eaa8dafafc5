"""Extrapolates how large a quantity gets by chance beyond what was seen of it.

Peaks over a threshold follow a generalised Pareto law (Balkema and de Haan, 1974; Pickands, 1975;
Coles, 2001); the largest of many values follows, for light tails, a Gumbel law, which has no shape
to estimate and so suits few values.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

FEWEST_BEYOND: Final = 20
"""Values beyond a quantile for it to be read off rather than extrapolated."""
FEWEST_FOR_A_SHAPE: Final = 200
"""Different values for a Pareto tail."""
TAIL: Final = 0.1
"""Share of the values that a Pareto tail is fitted to."""
HEAVIEST: Final = 0.5
"""Largest shape of a Pareto tail that is believed; the smallest is 0, an exponential tail, for a
bounded one would only mean that what was resampled is little."""

Numbers = npt.NDArray[np.float64]
Method = Literal["empirical", "pareto", "gumbel", "none"]


def upper_quantile(values: Numbers, chance: float) -> tuple[float, Method]:
    """The value that is exceeded with that chance, at least the one that was; and how it was found.

    A fit that fails falls back on what was seen.
    """
    seen = float(np.quantile(values, 1.0 - chance))
    if chance * len(values) >= FEWEST_BEYOND or np.ptp(values) == 0.0:
        return seen, "empirical"
    if len(np.unique(values)) < FEWEST_FOR_A_SHAPE:
        return max(_gumbel(values, chance), seen), "gumbel"
    return max(_pareto(values, chance), seen), "pareto"


def _gumbel(values: Numbers, chance: float) -> float:
    place, scale = stats.gumbel_r.fit(values)
    return float(np.nan_to_num(stats.gumbel_r.isf(chance, place, scale), nan=0.0, posinf=0.0))


def _pareto(values: Numbers, chance: float) -> float:
    start = float(np.quantile(values, 1.0 - TAIL))
    peaks = values[values > start] - start
    shape = float(np.clip(np.nan_to_num(stats.genpareto.fit(peaks, floc=0.0)[0]), 0.0, HEAVIEST))
    scale = float(peaks.mean()) * (1.0 - shape)  # by moments, given the shape
    return start + float(stats.genpareto.isf(chance / TAIL, shape, scale=scale))
