"""Distances between the distribution functions of two binned numeric columns.

F is the distribution function of the reference and G that of the current window.
"""

from typing import Final, NamedTuple

import numpy as np

from trimtab.detection.profiles.arrays import BoolArray, FloatArray
from trimtab.detection.profiles.window_profile import ColumnProfile, compute_shares

MIN_WIDE_BIN_WIDTH: Final = 0.1
"""Width of a bin, in standard deviations, above which the position of its values matters."""
LOG_DECAY_RATES: Final = np.linspace(-6.0, 6.0, 61)
"""Logarithms of the rates, per standard deviation, at which a density may fall outwards."""
MAX_LOG_DECAY: Final = 8.0
"""Largest fall of that logarithm within one bin."""
MIN_JUMP: Final = 0.05
"""Change of the gap F - G within a bin above which one value is taken to hold all of the change:
bins of the reference hold 1/120 of its values otherwise."""
MIN_DIVISOR: Final = 1e-3
"""Smallest absolute decay in the formulas, which divide by it."""


class BinGeometry(NamedTuple):
    """The bins of one column between finite ends, in standard deviations from its mean."""

    share: FloatArray
    left: FloatArray
    """Lower ends, or the smallest value if that is higher."""
    width: FloatArray


class BinMoments(NamedTuple):
    """The contributions of some bins to a column's first two moments, for each decay rate."""

    first: FloatArray
    """Shape (rates,)."""
    second: FloatArray
    """Shape (rates,)."""
    position: FloatArray
    """Position of the mean of the values within each bin, 0 to 1, of shape (rates, bins)."""


def compute_wasserstein(reference: ColumnProfile, current: ColumnProfile) -> float | None:
    """Return the Wasserstein-1 distance in standard deviations of the reference.

    It is the integral of |F - G| (Vallender, 1974) over the fine bins; where the values of a wide
    bin lie follows from the exact moments, and the distance is at least the difference of the
    means. It is None if the reference does not vary or the distance is not finite.
    """
    if not reference.std or reference.mean is None or current.mean is None:
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        between_means = abs(reference.mean - current.mean)
        area = _integrate_gap(reference, current)
        distance = np.maximum(area if np.isfinite(area) else between_means, between_means)
        scaled = distance / reference.std
    return float(scaled) if np.isfinite(scaled) else None


def compute_kolmogorov_distance(reference: ColumnProfile, current: ColumnProfile) -> float:
    """Return the largest |F - G| at the edges of the fine bins, 0 to 1.

    The exact Kolmogorov distance is larger by at most the largest share of the reference in one
    bin.
    """
    gap = compute_cumulative_shares(reference) - compute_cumulative_shares(current)
    return float(np.abs(gap).max(initial=0.0))


def compute_cumulative_shares(profile: ColumnProfile) -> FloatArray:
    """Return the share of the values up to each edge."""
    counts: FloatArray = np.asarray(profile.counts, dtype="float64")
    share: FloatArray = np.cumsum(counts)[:-1] / max(counts.sum(), 1.0)
    return share


def _integrate_gap(reference: ColumnProfile, current: ColumnProfile) -> float:
    """Integrate |F - G| bin by bin.

    Where F and G cross, both count as straight lines, or as one jump if the gap changes by much:
    one value then holds all that the bin does.
    """
    extremes = [
        each
        for side in (reference, current)
        for each in (*side.edges, side.minimum, side.maximum)
        if each is not None
    ]
    ends: FloatArray = np.array([min(extremes), *reference.edges, max(extremes)])
    inner = compute_cumulative_shares(reference) - compute_cumulative_shares(current)
    gap = np.concatenate([[0.0], inner, [0.0]])
    left, right, width = gap[:-1], gap[1:], np.diff(ends)
    signed = (
        width * left + _compute_room_above(reference, ends) - _compute_room_above(current, ends)
    )
    size = np.abs(left) + np.abs(right)
    straight = width * (left**2 + right**2) / (2 * np.where(size > 0, size, 1.0))
    jumping = (left * right < 0) & (size > MIN_JUMP) & (width > 0)
    change, wide = np.where(jumping, left - right, 1.0), np.where(jumping, width, 1.0)
    position = np.clip((signed / wide - right) / change, 0.0, 1.0)
    jump = width * (np.abs(left) * position + np.abs(right) * (1 - position))
    crossing = np.where(jumping, jump, straight)
    return float(np.where(left * right >= 0, np.abs(signed), crossing).sum())


def _compute_room_above(profile: ColumnProfile, ends: FloatArray) -> FloatArray:
    """Return each bin's share times the mean distance of its values from its upper end.

    All bin means are moved by one fraction of their bin's width, so that their mean is exact.
    """
    share, mean, std = compute_shares(profile), profile.mean or 0.0, profile.std or 1.0
    low = np.clip(ends[:-1], profile.minimum, profile.maximum)
    width = np.clip(ends[1:], profile.minimum, profile.maximum) - low
    centre = low + _locate_bin_means(BinGeometry(share, (low - mean) / std, width / std)) * width
    reach = float(np.sum(share * width))
    off = (mean - float(np.sum(share * centre))) / reach if reach else 0.0
    centre = np.clip(centre + off * width, low, low + width)
    room: FloatArray = share * (ends[1:] - centre)
    return room


def _locate_bin_means(bins: BinGeometry) -> FloatArray:
    """Return the position of the mean of the values within each bin, 0 to 1.

    It is the middle, except in wide bins: there the density falls exponentially, at one rate below
    the column's mean and at another above it, those that agree best with its first two moments.
    """
    position = np.full(len(bins.share), 0.5)
    centre = bins.left + bins.width / 2
    wide = (bins.share > 0) & (bins.width > MIN_WIDE_BIN_WIDTH)
    if not wide.any():
        return position
    rest = bins.share * ~wide
    first = float(np.sum(rest * centre))
    second = float(np.sum(rest * (centre**2 + bins.width**2 / 12)))
    below, above = wide & (centre <= 0), wide & (centre > 0)
    down = _compute_decaying_moments(bins, below, -LOG_DECAY_RATES)
    up = _compute_decaying_moments(bins, above, LOG_DECAY_RATES)
    misfit = (first + down.first[:, None] + up.first) ** 2
    misfit += (second + down.second[:, None] + up.second - 1) ** 2 / 4
    # Of rates that fit equally well, prefer the flattest.
    misfit += 1e-9 * (LOG_DECAY_RATES[:, None] ** 2 + LOG_DECAY_RATES**2)
    best_below, best_above = np.unravel_index(np.nanargmin(misfit), misfit.shape)
    position[below], position[above] = down.position[best_below], up.position[best_above]
    return position


def _compute_decaying_moments(
    bins: BinGeometry, chosen: BoolArray, rates: FloatArray
) -> BinMoments:
    """Return the moments of the chosen bins if the density falls at each of the rates."""
    share, left, width = (each[chosen] for each in bins)
    decay = np.clip(rates[:, None] * width, -MAX_LOG_DECAY, MAX_LOG_DECAY)
    decay = np.where(np.abs(decay) < MIN_DIVISOR, MIN_DIVISOR, decay)
    position = 1 / decay - 1 / np.expm1(decay)
    spread = 1 / decay**2 - 0.25 / np.sinh(decay / 2) ** 2
    value = left + width * position
    second = (share * (value**2 + width**2 * spread)).sum(axis=1)
    return BinMoments((share * value).sum(axis=1), second, position)
