"""How far apart the distribution functions of two binned numeric columns are."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from trimtab.detection.profiles.window_profile import ColumnProfile, compute_shares

WIDE: Final = 0.1
"""Width of a bin, in standard deviations, from which it matters where in it the values lie."""
RATES: Final = np.linspace(-6.0, 6.0, 61)
"""How fast a density may fall outwards, per standard deviation: its logarithm."""
STEEPEST: Final = 8.0
"""Most by which that logarithm falls within one bin."""
JUMP: Final = 0.05
"""Change of the gap within a bin from which it is one value's: bins of the reference hold 1/120."""
FLAT: Final = 1e-3
"""Less than this counts as this, for the formulas divide by it."""

Numbers = npt.NDArray[np.float64]


class Cells(NamedTuple):
    """The bins of one column between finite ends, in standard deviations from its mean."""

    share: Numbers
    left: Numbers
    """Lower ends, or the smallest value where that is higher."""
    width: Numbers


def wasserstein(reference: ColumnProfile, current: ColumnProfile) -> float | None:
    """Wasserstein-1 distance in standard deviations of the reference; None where it has none.

    The integral of |F - G| (Vallender, 1974) over the fine bins. Where in a wide bin its values
    lie follows from the exact moments; the difference of the means never exceeds the distance.
    """
    if not reference.std or reference.mean is None or current.mean is None:
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        apart = abs(reference.mean - current.mean)
        distance = _area(reference, current)
        found = np.maximum(distance if np.isfinite(distance) else apart, apart) / reference.std
    return float(found) if np.isfinite(found) else None


def cumulative_gap(reference: ColumnProfile, current: ColumnProfile) -> float:
    """Largest |F - G| at the edges of the fine bins, 0 to 1: Kolmogorov's distance.

    The true one is larger by at most the greatest share of the reference in one bin.
    """
    return float(np.abs(cumulative_shares(reference) - cumulative_shares(current)).max(initial=0.0))


def cumulative_shares(profile: ColumnProfile) -> Numbers:
    """Share of the values up to each edge."""
    counts: Numbers = np.asarray(profile.counts, dtype="float64")
    share: Numbers = np.cumsum(counts)[:-1] / max(counts.sum(), 1.0)
    return share


def _area(reference: ColumnProfile, current: ColumnProfile) -> float:
    """The integral of |F - G|, bin by bin.

    Where F and G cross they count as straight, or as one jump where the gap changes much: then one
    value holds what the bin does.
    """
    extremes = [
        each
        for side in (reference, current)
        for each in (*side.edges, side.minimum, side.maximum)
        if each is not None
    ]
    ends: Numbers = np.array([min(extremes), *reference.edges, max(extremes)])
    gap = np.concatenate([[0.0], cumulative_shares(reference) - cumulative_shares(current), [0.0]])
    left, right, width = gap[:-1], gap[1:], np.diff(ends)
    signed = width * left + _room_above(reference, ends) - _room_above(current, ends)
    size = np.abs(left) + np.abs(right)
    straight = width * (left**2 + right**2) / (2 * np.where(size > 0, size, 1.0))
    jumping = (left * right < 0) & (size > JUMP) & (width > 0)
    change, wide = np.where(jumping, left - right, 1.0), np.where(jumping, width, 1.0)
    place = np.clip((signed / wide - right) / change, 0.0, 1.0)
    jump = width * (np.abs(left) * place + np.abs(right) * (1 - place))
    crossing = np.where(jumping, jump, straight)
    return float(np.where(left * right >= 0, np.abs(signed), crossing).sum())


def _room_above(profile: ColumnProfile, ends: Numbers) -> Numbers:
    """Each bin's share, times how far below its upper end its values lie on average.

    At last all are moved by one part of the bin's width so that their mean is the exact one.
    """
    share, mean, std = compute_shares(profile), profile.mean or 0.0, profile.std or 1.0
    low = np.clip(ends[:-1], profile.minimum, profile.maximum)
    width = np.clip(ends[1:], profile.minimum, profile.maximum) - low
    cells = Cells(share, (low - mean) / std, width / std)
    centre = low + _places(cells) * width
    reach = float(np.sum(share * width))
    off = (mean - float(np.sum(share * centre))) / reach if reach else 0.0
    centre = np.clip(centre + off * width, low, low + width)
    room: Numbers = share * (ends[1:] - centre)
    return room


def _places(cells: Cells) -> Numbers:
    """Where in each bin the mean of its values lies, 0 to 1: in the middle, but for wide bins.

    In these the density falls exponentially, at one rate below the column's mean and at another
    above, those that agree best with its first two moments.
    """
    place = np.full(len(cells.share), 0.5)
    centre = cells.left + cells.width / 2
    wide = (cells.share > 0) & (cells.width > WIDE)
    if not wide.any():
        return place
    rest = cells.share * ~wide
    first = float(np.sum(rest * centre))
    second = float(np.sum(rest * (centre**2 + cells.width**2 / 12)))
    below, above = wide & (centre <= 0), wide & (centre > 0)
    down, up = _falling(cells, below, -RATES), _falling(cells, above, RATES)
    misfit = (first + down.first[:, None] + up.first) ** 2
    misfit += (second + down.second[:, None] + up.second - 1) ** 2 / 4
    misfit += 1e-9 * (RATES[:, None] ** 2 + RATES**2)  # of equal ones the flattest
    one, other = np.unravel_index(np.nanargmin(misfit), misfit.shape)
    place[below], place[above] = down.place[one], up.place[other]
    return place


class Falling(NamedTuple):
    """What some bins add to a column's first two moments, for each rate."""

    first: Numbers
    second: Numbers
    place: Numbers
    """Rates by bins: where the mean of the bin's values lies, 0 to 1."""


def _falling(cells: Cells, here: npt.NDArray[np.bool_], rates: Numbers) -> Falling:
    share, left, width = (each[here] for each in cells)
    fall = np.clip(rates[:, None] * width, -STEEPEST, STEEPEST)
    fall = np.where(np.abs(fall) < FLAT, FLAT, fall)
    place = 1 / fall - 1 / np.expm1(fall)
    spread = 1 / fall**2 - 0.25 / np.sinh(fall / 2) ** 2
    value = left + width * place
    second = (share * (value**2 + width**2 * spread)).sum(axis=1)
    return Falling((share * value).sum(axis=1), second, place)
