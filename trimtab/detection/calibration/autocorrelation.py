"""Corrects the bootstrap for autocorrelation between blocks and for a small number of blocks.

Blocks that are drawn at random do not show that neighbours resemble each other. Blocks count as an
autoregressive series of the first order, whose correlation is estimated twice: from neighbouring
blocks, and from how much more real windows deviate from the reference than drawn ones.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import stats

from trimtab.detection.calibration.resampling import WindowShape, list_real_windows
from trimtab.detection.drift.effect_sizes import MIN_BIN_SHARE
from trimtab.detection.profiles.arrays import FloatArray

MAX_CORRELATION: Final = 0.95
"""Largest correlation of neighbouring blocks that an estimate may have."""
MAX_CORRECTION: Final = 3.0
"""Largest factor for a small number of blocks; a larger one would make thresholds that nothing
reaches."""
_CORRELATION_GRID: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, MAX_CORRELATION)
_TINY: Final = float(np.finfo(float).tiny)


def estimate_neighbour_correlation(counts: FloatArray, season: int) -> float:
    """Return the correlation of neighbouring blocks in their shares, without seasonality.

    `counts` has shape (blocks, bins); the mean of each phase of the season is subtracted. The
    estimate is corrected for its bias in short series (Kendall, 1954).
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    scaled = shares / np.sqrt(np.maximum(shares.mean(axis=0), MIN_BIN_SHARE))
    phases = np.arange(len(counts)) % season
    for phase in range(season):
        scaled[phases == phase] -= scaled[phases == phase].mean(axis=0)
    spread = float((scaled**2).sum())
    if spread == 0.0:
        return 0.0
    raw = float((scaled[1:] * scaled[:-1]).sum()) / spread
    return float(np.clip(raw + (1.0 + 3.0 * raw) / len(counts), 0.0, MAX_CORRELATION))


def estimate_window_correlation(ratio: float, drawn: WindowShape, blocks: int) -> float:
    """Return the correlation that explains why real windows deviate more than drawn ones.

    `ratio` is that of their mean stability indices. The result is 0 if a window is a single block
    or is compared with one earlier window.
    """
    window = drawn.window
    if window == 1 or drawn.lag:
        return 0.0
    lags = np.abs(np.subtract.outer(np.arange(blocks), np.arange(blocks)))
    inside = list_real_windows(WindowShape(window, 1, matched=False), blocks).window
    contrasts = inside / window - (1.0 - inside) / (blocks - window)
    expected = []
    for correlation in _CORRELATION_GRID:
        correlations = correlation**lags
        spread = (blocks - correlations.sum() / blocks) / (blocks - 1)
        deviation = float((contrasts @ correlations * contrasts).sum(axis=1).mean())
        expected.append(deviation / spread / (1.0 / window + 1.0 / (blocks - window)))
    return float(np.interp(ratio, np.maximum.accumulate(expected), _CORRELATION_GRID))


def combine_correlations(estimated: Sequence[float], blocks: int) -> list[float]:
    """Return each column's correlation, raised to that of all columns together if it is lower.

    Few blocks give a poor estimate, and a column whose correlation is underestimated is the one
    that raises false alarms. All columns together give a better one; its standard error, that of a
    series with no correlation beyond the first lag (Bartlett, 1946), is added to it.
    """
    mean = float(np.mean(estimated))
    at_least = mean + float(np.sqrt((1.0 - mean**2) / blocks))
    return [min(max(each, at_least), MAX_CORRELATION) for each in estimated]


def compute_index_inflation(
    correlation: float, wanted: WindowShape, drawn: WindowShape, *, blocks: int
) -> float:
    """Return the factor by which a later window's stability index exceeds a pseudo-window's.

    The later window is compared with its reference, the pseudo-window with the rest of the
    reference. An index is proportional to the variance of the difference of two means.
    """
    rest = wanted.window if wanted.lag else blocks
    drawn_rest = drawn.window if drawn.lag else blocks - drawn.window
    variance = _compute_mean_variance(correlation, wanted.window)
    later = variance + _compute_mean_variance(correlation, rest)
    apart = (1.0 / drawn.window + 1.0 / drawn_rest) * blocks / (blocks - 1)
    return later / (apart * (1.0 - _compute_mean_variance(correlation, blocks)))


def compute_effective_blocks(blocks: int, correlation: float) -> float:
    """Return the number of independent blocks that would tell as much (Bartlett, 1946)."""
    return blocks * (1.0 - correlation) / (1.0 + correlation)


def compute_quantile_correction(
    drawn: FloatArray, real: FloatArray, alpha: float, *, freedom: float
) -> float:
    """Return the factor by which the upper quantile exceeds that of drawn windows, 1 to 3.

    `drawn` and `real` are the largest indices of pseudo-windows and of real windows. An index is
    nearly a multiple of a chi-square variable, with as many degrees of freedom as its mean and
    variance suggest (Satterthwaite, 1946). Real windows may suggest fewer, because a lasting
    change moves a column in one direction. The scale is estimated from `freedom` independent
    blocks, so the index follows an F distribution.
    """
    degrees = _estimate_degrees_of_freedom(drawn)
    fewest = min(degrees, _estimate_degrees_of_freedom(real))
    quantile = stats.f.isf(alpha, fewest, max(freedom, 1.0))
    factor = float(quantile * degrees / stats.chi2.isf(alpha, degrees))
    return float(np.clip(np.nan_to_num(factor, nan=1.0), 1.0, MAX_CORRECTION))


def _compute_mean_variance(correlation: float, count: int) -> float:
    """Return the variance of the mean of `count` neighbouring blocks, each of variance 1."""
    lags = np.arange(1, count)
    return float(1.0 + 2.0 * ((1.0 - lags / count) * correlation**lags).sum()) / count


def _estimate_degrees_of_freedom(values: FloatArray) -> float:
    return float(np.clip(2.0 * values.mean() ** 2 / max(values.var(), _TINY), 1.0, 1000.0))
