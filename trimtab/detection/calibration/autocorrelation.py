"""What blocks drawn at random do not show: that neighbours resemble each other, and blocks are few.

Blocks count as an autoregressive series of the first order, whose correlation is estimated twice:
from neighbouring blocks, and from how much farther real windows stray than drawn ones.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from trimtab.detection.calibration.resampling import Shape, real_windows
from trimtab.detection.drift.effect_sizes import SMALLEST_SHARE

LONGEST: Final = 0.95
"""Largest correlation of neighbouring blocks that is believed."""
MOST_CAUTION: Final = 3.0
"""Largest factor for few blocks: more would make thresholds that nothing reaches."""
_GRID: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, LONGEST)
_TINY: Final = float(np.finfo(float).tiny)

Numbers = npt.NDArray[np.float64]


def of_neighbours(counts: Numbers, season: int) -> float:
    """Correlation of neighbouring blocks in their shares, phases of the season taken out.

    `counts` are blocks by bins. Corrected for its bias in short series (Kendall, 1954).
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    scaled = shares / np.sqrt(np.maximum(shares.mean(axis=0), SMALLEST_SHARE))
    phases = np.arange(len(counts)) % season
    for phase in range(season):
        scaled[phases == phase] -= scaled[phases == phase].mean(axis=0)
    spread = float((scaled**2).sum())
    if spread == 0.0:
        return 0.0
    found = float((scaled[1:] * scaled[:-1]).sum()) / spread
    return float(np.clip(found + (1.0 + 3.0 * found) / len(counts), 0.0, LONGEST))


def of_stretches(ratio: float, drawn: Shape, blocks: int) -> float:
    """The correlation that explains why stretches of neighbours stray farther than drawn blocks.

    `ratio` is that of their mean indices; 0 where windows are no stretches or compared in pairs.
    """
    window = drawn.window
    if window == 1 or drawn.lag:
        return 0.0
    lags = np.abs(np.subtract.outer(np.arange(blocks), np.arange(blocks)))
    inside = real_windows(Shape(window, 1, matched=False), blocks).window
    contrasts = inside / window - (1.0 - inside) / (blocks - window)
    expected = []
    for lasting in _GRID:
        alike = lasting**lags
        spread = (blocks - alike.sum() / blocks) / (blocks - 1)
        strayed = float((contrasts @ alike * contrasts).sum(axis=1).mean())
        expected.append(strayed / spread / (1.0 / window + 1.0 / (blocks - window)))
    return float(np.interp(ratio, np.maximum.accumulate(expected), _GRID))


def believed(estimated: Sequence[float], blocks: int) -> list[float]:
    """Each column's correlation, or that of all together and its standard error if that is more.

    Few blocks tell it badly, and a column of which it is underestimated is the one that alarms; all
    columns together tell it better. The standard error is that of a series without more
    correlation than its first (Bartlett, 1946).
    """
    together = float(np.mean(estimated))
    at_least = together + float(np.sqrt((1.0 - together**2) / blocks))
    return [min(max(each, at_least), LONGEST) for each in estimated]


def straying(lasting: float, wanted: Shape, drawn: Shape, *, blocks: int) -> float:
    """How much farther a later window strays from its reference than a pseudo-window from its own.

    An index goes with the variance of the difference of two means.
    """
    beside = wanted.window if wanted.lag else blocks
    drawn_beside = drawn.window if drawn.lag else blocks - drawn.window
    later = _variance(lasting, wanted.window) + _variance(lasting, beside)
    apart = (1.0 / drawn.window + 1.0 / drawn_beside) * blocks / (blocks - 1)
    return later / (apart * (1.0 - _variance(lasting, blocks)))


def independent(blocks: int, lasting: float) -> float:
    """So many blocks that do not resemble their neighbours would tell as much (Bartlett, 1946)."""
    return blocks * (1.0 - lasting) / (1.0 + lasting)


def caution(drawn: Numbers, real: Numbers, chance: float, *, freedom: float) -> float:
    """How much farther out the quantile lies than drawn windows tell; 1 to 3.

    An index is nearly a multiple of a chi-square variable, of as many degrees as its mean and
    variance suggest (Satterthwaite, 1946). Windows as they were may suggest fewer, for what lasts
    moves a column in one direction; and with its scale estimated from so many degrees of `freedom`
    the index follows an F distribution.
    """
    degrees = _degrees(drawn)
    felt = stats.f.isf(chance, min(degrees, _degrees(real)), max(freedom, 1.0))
    factor = float(felt * degrees / stats.chi2.isf(chance, degrees))
    return float(np.clip(np.nan_to_num(factor, nan=1.0), 1.0, MOST_CAUTION))


def _variance(lasting: float, count: int) -> float:
    """Of the mean of so many neighbours, each of variance 1."""
    lags = np.arange(1, count)
    return float(1.0 + 2.0 * ((1.0 - lags / count) * lasting**lags).sum()) / count


def _degrees(values: Numbers) -> float:
    return float(np.clip(2.0 * values.mean() ** 2 / max(values.var(), _TINY), 1.0, 1000.0))
