"""Turns two profiles of a column into what is drawn: shares over the same bins, side by side."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.frequent_values import FREQUENT_VALUE_TOLERANCE
from trimtab.detection.profiles.window_profile import OTHER_BIN, ColumnProfile, compute_shares

CELLS: Final = 48
"""Equal cells that a numeric column's range is drawn in."""
FEW_BINS: Final = 24
"""A numeric column whose values lie in at most this many bins is drawn bin by bin."""
TAIL: Final = 0.005
"""Share of the values at each end that may lie beyond what is drawn."""
BARS: Final = 12
"""Categories drawn; the rest is "other"."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """A numeric column: equal cells from `low` to `high`, in the column's unit."""

    low: float
    high: float
    reference: tuple[float, ...]
    """Share of the reference's values in each cell."""
    current: tuple[float, ...]
    beyond: tuple[float, float]
    """Share of the values outside [low, high], in the reference and now."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A column of few values, or of categories: name, share in the reference, share now."""

    bars: tuple[tuple[str, float, float], ...]


def plot_of(reference: ColumnProfile, current: ColumnProfile) -> Histogram | Bars | None:
    """Both distributions of a column; None where either has no values or the bins differ."""
    if not (reference.present and current.present) or len(reference.bins) != len(current.bins):
        return None
    if reference.column.kind is FeatureKind.CATEGORICAL:
        return _categories(reference, current)
    filled = np.flatnonzero(np.asarray(reference.counts) + np.asarray(current.counts))
    if len(filled) <= FEW_BINS:
        return _values(reference, current, filled.tolist())
    return _histogram(reference, current)


def _categories(reference: ColumnProfile, current: ColumnProfile) -> Bars:
    pairs = list(
        zip(reference.bins, compute_shares(reference), compute_shares(current), strict=True)
    )
    named, other = (
        (pairs[:-1], pairs[-1]) if reference.others == 1 else (pairs, (OTHER_BIN, 0.0, 0.0))
    )
    named.sort(key=lambda each: -max(each[1], each[2]))
    rest = [*named[BARS:], other]
    before, now = sum(each[1] for each in rest), sum(each[2] for each in rest)
    if before or now:
        named = [*named[:BARS], (other[0], before, now)]
    return Bars(bars=tuple((name, float(a), float(b)) for name, a, b in named[: BARS + 1]))


def _values(reference: ColumnProfile, current: ColumnProfile, filled: list[int]) -> Bars:
    before, now = compute_shares(reference), compute_shares(current)
    bars = [
        (_value(reference.edges, place), float(before[place]), float(now[place]))
        for place in filled
    ]
    return Bars(bars=tuple(bars))


def _value(edges: tuple[float, ...], place: int) -> str:
    """A bin's name: its value where it holds a single one."""
    if place == len(edges):
        return f"> {edges[-1]:.6g}"
    if place == 0:
        return f"≤ {edges[0]:.6g}"
    low, high = edges[place - 1], edges[place]
    single = np.nextafter(
        low, np.inf
    ) == high or high - low <= 2.01 * FREQUENT_VALUE_TOLERANCE * abs(high)
    return f"{(low + high) / 2 + 0.0:.6g}" if single else f"{low:.6g} to {high:.6g}"


def _histogram(reference: ColumnProfile, current: ColumnProfile) -> Histogram:
    ends = [_range(profile) for profile in (reference, current)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    cells = np.linspace(low, high, CELLS + 1)
    cells[0], cells[-1] = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    below = [_cumulated(profile, cells) for profile in (reference, current)]
    inside = [np.diff(each) for each in below]
    return Histogram(
        low=low,
        high=high,
        reference=tuple(inside[0].tolist()),
        current=tuple(inside[1].tolist()),
        beyond=(_rest(inside[0]), _rest(inside[1])),
    )


def _range(profile: ColumnProfile) -> tuple[float, float]:
    """From where to where nearly all values lie."""
    lower, upper, share = _spread(profile)
    filled = np.flatnonzero(share)
    below = np.cumsum(share)
    first = int(
        filled[np.searchsorted(below[filled], TAIL, side="right").clip(max=len(filled) - 1)]
    )
    last = int(filled[np.searchsorted(below[filled], 1.0 - TAIL).clip(max=len(filled) - 1)])
    return float(lower[first]), float(upper[last])


def _cumulated(profile: ColumnProfile, points: Numbers) -> Numbers:
    """Share of the values up to each point, as if they lay evenly within each bin."""
    lower, upper, share = _spread(profile)
    width = upper - lower
    ramp = (points[:, None] - lower) / np.where(width > 0, width, 1.0)
    within = np.where(width > 0, np.clip(ramp, 0.0, 1.0), points[:, None] >= upper)
    found: Numbers = within @ share
    return found


def _spread(profile: ColumnProfile) -> tuple[Numbers, Numbers, Numbers]:
    """Each bin's lower end, upper end and share; the outer bins end at the extremes."""
    edges = np.asarray(profile.edges)
    low = edges[0] if profile.minimum is None else profile.minimum
    high = edges[-1] if profile.maximum is None else profile.maximum
    lower = np.clip(np.concatenate([[min(low, edges[0])], edges]), low, high)
    upper = np.clip(np.concatenate([edges, [max(high, edges[-1])]]), low, high)
    return lower, upper, compute_shares(profile)


def _rest(inside: Numbers) -> float:
    return float(max(0.0, 1.0 - inside.sum()))
