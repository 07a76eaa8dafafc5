"""Builds the plot of a column from its two profiles: shares over the same bins, side by side."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.frequent_values import FREQUENT_VALUE_TOLERANCE
from trimtab.detection.profiles.window_profile import OTHER_BIN, ColumnProfile, compute_shares

HISTOGRAM_CELLS: Final = 48
"""Equal cells that a histogram divides a numeric column's range into."""
MAX_FILLED_BINS: Final = 24
"""Most filled bins of a numeric column that is drawn bin by bin instead of as a histogram."""
TAIL_SHARE: Final = 0.005
"""Largest share of the values at each end that is outside a histogram."""
MAX_BARS: Final = 12
"""Categories drawn; the rest is "other"."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """A numeric column: equal cells from `low` to `high`, in the column's unit."""

    low: float
    high: float
    reference: tuple[float, ...]
    """Share of the reference's values in each cell."""
    current: tuple[float, ...]
    beyond: tuple[float, float]
    """Share of the values outside [low, high], in the reference and in the current table."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A column of few values, or of categories: name, reference share and current share of each."""

    bars: tuple[tuple[str, float, float], ...]


def build_plot(reference: ColumnProfile, current: ColumnProfile) -> Histogram | Bars | None:
    """Return both distributions of a column; None if either has no values or the bins differ."""
    if not (reference.value_count and current.value_count) or len(reference.bin_names) != len(
        current.bin_names
    ):
        return None
    if reference.column.kind is FeatureKind.CATEGORICAL:
        return _draw_categories(reference, current)
    filled = np.flatnonzero(np.asarray(reference.counts) + np.asarray(current.counts))
    if len(filled) <= MAX_FILLED_BINS:
        return _draw_bins(reference, current, filled.tolist())
    return _draw_histogram(reference, current)


def _draw_categories(reference: ColumnProfile, current: ColumnProfile) -> Bars:
    pairs = list(
        zip(reference.bin_names, compute_shares(reference), compute_shares(current), strict=True)
    )
    named, other = (
        (pairs[:-1], pairs[-1]) if reference.others == 1 else (pairs, (OTHER_BIN, 0.0, 0.0))
    )
    named.sort(key=lambda each: -max(each[1], each[2]))
    rest = [*named[MAX_BARS:], other]
    before, now = sum(each[1] for each in rest), sum(each[2] for each in rest)
    if before or now:
        named = [*named[:MAX_BARS], (other[0], before, now)]
    return Bars(bars=tuple((name, float(a), float(b)) for name, a, b in named[: MAX_BARS + 1]))


def _draw_bins(reference: ColumnProfile, current: ColumnProfile, filled: list[int]) -> Bars:
    before, now = compute_shares(reference), compute_shares(current)
    bars = [
        (_name_bin(reference.edges, position), float(before[position]), float(now[position]))
        for position in filled
    ]
    return Bars(bars=tuple(bars))


def _name_bin(edges: tuple[float, ...], position: int) -> str:
    """Return a bin's name: its value if it holds a single one, or else its range."""
    if position == len(edges):
        return f"> {edges[-1]:.6g}"
    if position == 0:
        return f"≤ {edges[0]:.6g}"
    low, high = edges[position - 1], edges[position]
    single = np.nextafter(
        low, np.inf
    ) == high or high - low <= 2.01 * FREQUENT_VALUE_TOLERANCE * abs(high)
    return f"{(low + high) / 2 + 0.0:.6g}" if single else f"{low:.6g} to {high:.6g}"


def _draw_histogram(reference: ColumnProfile, current: ColumnProfile) -> Histogram:
    ends = [_find_range(profile) for profile in (reference, current)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    cells = np.linspace(low, high, HISTOGRAM_CELLS + 1)
    cells[0], cells[-1] = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    below = [_accumulate_shares(profile, cells) for profile in (reference, current)]
    inside = [np.diff(each) for each in below]
    return Histogram(
        low=low,
        high=high,
        reference=tuple(inside[0].tolist()),
        current=tuple(inside[1].tolist()),
        beyond=(_compute_rest(inside[0]), _compute_rest(inside[1])),
    )


def _find_range(profile: ColumnProfile) -> tuple[float, float]:
    """Return the lowest and the highest value to draw: nearly all values lie between them."""
    lower, upper, share = _locate_bins(profile)
    filled = np.flatnonzero(share)
    below = np.cumsum(share)
    first = int(
        filled[np.searchsorted(below[filled], TAIL_SHARE, side="right").clip(max=len(filled) - 1)]
    )
    last = int(filled[np.searchsorted(below[filled], 1.0 - TAIL_SHARE).clip(max=len(filled) - 1)])
    return float(lower[first]), float(upper[last])


def _accumulate_shares(profile: ColumnProfile, points: FloatArray) -> FloatArray:
    """Return the share of the values up to each point, spread evenly within each bin."""
    lower, upper, share = _locate_bins(profile)
    width = upper - lower
    ramp = (points[:, None] - lower) / np.where(width > 0, width, 1.0)
    within = np.where(width > 0, np.clip(ramp, 0.0, 1.0), points[:, None] >= upper)
    found: FloatArray = within @ share
    return found


def _locate_bins(profile: ColumnProfile) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each bin's lower end, upper end and share; the outer bins end at the extremes."""
    edges = np.asarray(profile.edges)
    low = edges[0] if profile.minimum is None else profile.minimum
    high = edges[-1] if profile.maximum is None else profile.maximum
    lower = np.clip(np.concatenate([[min(low, edges[0])], edges]), low, high)
    upper = np.clip(np.concatenate([edges, [max(high, edges[-1])]]), low, high)
    return lower, upper, compute_shares(profile)


def _compute_rest(inside: FloatArray) -> float:
    return float(max(0.0, 1.0 - inside.sum()))
