"""Finds a change of unit in a part of the rows: in one category, on some days, or scattered.

Scattered rows in another unit leave a mixture of the reference and its mapped image. It is
recognised only where the two hardly overlap, because a distribution with a heavy tail is nearly a
mixture of itself and its multiples.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from trimtab.detection.drift.fault_location import Segment, format_periods
from trimtab.detection.drift.row_table import RowTable, WindowPeriods
from trimtab.detection.drift.significance import run_kolmogorov_smirnov_test
from trimtab.detection.drift.unit_change import (
    MIN_DISTINCT_OF_MEASUREMENT,
    MIN_VALUES_TO_FIT,
    AffineMap,
    detect_unit_change,
    list_known_maps,
)
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.window_profile import ColumnProfile

MAX_P_VALUE: Final = 1e-4
"""p-value of the whole column from which a part of it may have another unit: it is not adjusted."""
MIN_MIXED_SHARE: Final = 0.05
"""Share of scattered rows in another unit, at least."""
MIN_SEPARATION: Final = 0.8
"""Gap between the reference and its mapped image from which they hardly overlap."""
MAX_MIXTURE_GAP: Final = 0.02
"""Gap that the mixture may leave unexplained, beyond what chance does."""
MAX_MIXTURE_GAP_OF_FEW: Final = 0.06
"""Gap that it may leave unexplained, however few the values are."""
MIN_SHARE_BEYOND_BLOCKS: Final = 0.7
"""Share of the values in the other unit that no block of the reference has where they lie."""
MIN_EXPLAINED: Final = 3.0
"""How many times smaller than the gap to the reference the gap to the mixture must be."""
MAX_GAP_OF_OTHERS: Final = 0.5
"""Gap of all other rows, as a share of the gap in the segment, at most."""
GRID_POINTS: Final = 400
"""Quantiles of the pooled values at which distributions are compared."""

SplitValues: TypeAlias = "tuple[pd.Series[Any], pd.Series[Any]]"
"""A column's values in a segment, and the others."""


class PartialUnitChange(NamedTuple):
    """A change of unit in a part of the rows."""

    unit: AffineMap
    fraction: float
    """Share of the column's values that are in the other unit."""
    segment: str
    """Such as "Region = north" or "3 of 7 days"; empty if it is not known."""
    border: float | None = None
    """Of a mixture: the value that parts the two units best."""
    above: bool = True
    """Of a mixture: whether the values in the other unit lie above it."""


def find_partial_unit_change(
    reference: tuple[ColumnProfile, RowTable, Sequence[RowTable]],
    current: tuple[ColumnProfile, RowTable],
    *,
    segments: Sequence[Segment],
    periods: WindowPeriods | None,
) -> PartialUnitChange | None:
    """Return the change of unit that explains most rows, or None.

    The profiles are of one numeric column, the current one over the bins of the reference, whose
    rows are also given in blocks of time.
    """
    (before, earlier, blocks), (now, window) = reference, current
    few = min(before.value_count, now.value_count) < MIN_VALUES_TO_FIT
    if few or before.distinct_count < MIN_DISTINCT_OF_MEASUREMENT:
        return None
    if run_kolmogorov_smirnov_test(before, now).p_value > MAX_P_VALUE:
        return None
    name = now.column.name
    return (
        _find_in_segments(name, earlier, window, segments)
        or _find_in_periods(before, earlier, window, periods)
        or find_mixture([block.get_numbers(name) for block in blocks], window.get_numbers(name))
    )


def _find_in_segments(
    name: str, earlier: RowTable, window: RowTable, segments: Sequence[Segment]
) -> PartialUnitChange | None:
    """Compare the rows of each category with the reference's rows of the same category."""
    column, values = window.columns[name], window.series[name]
    found = []
    for segment in segments:
        inside = pd.Series(segment.inside, index=window.times.index)[values.index]
        categories = earlier.series[segment.column][earlier.series[name].index]
        was_inside = categories.eq(segment.category)
        then, now = earlier.series[name][was_inside], values[inside]
        if min(len(then), len(now)) < MIN_VALUES_TO_FIT:
            continue
        profile = profile_column(then, column)
        unit = detect_unit_change(profile, profile_column(now, column, like=profile))
        if unit and _has_moved_alone(
            (then, earlier.series[name][~was_inside]), (now, values[~inside])
        ):
            found.append(PartialUnitChange(unit, float(inside.mean()), segment.name))
    return max(found, key=lambda each: each.fraction, default=None)


def _has_moved_alone(before: SplitValues, now: SplitValues) -> bool:
    """Return whether the rows inside a segment have moved far more than the others.

    Both are the values inside, and the others.
    """
    gaps = [
        _compute_gap(*(each.dropna().to_numpy(dtype="float64") for each in pair))
        for pair in zip(before, now, strict=True)
    ]
    return gaps[1] <= MAX_GAP_OF_OTHERS * gaps[0]


def _compute_gap(before: FloatArray, now: FloatArray) -> float:
    if not (len(before) and len(now)):
        return 1.0
    grid = np.quantile(np.concatenate([before, now]), np.linspace(0.0, 1.0, GRID_POINTS))
    shares = (_compute_shares_below(each, grid) for each in (before, now))
    return float(np.abs(np.subtract(*shares)).max())


def _find_in_periods(
    reference: ColumnProfile, earlier: RowTable, window: RowTable, periods: WindowPeriods | None
) -> PartialUnitChange | None:
    """Compare each day with the whole reference; all days that changed must have changed alike."""
    if periods is None:
        return None
    name = reference.column.name
    values = window.series[name]
    places = periods.find(window.times[values.index])
    units: dict[int, AffineMap] = {}
    for place in np.unique(places).tolist():
        day = profile_column(values[places == place], reference.column, like=reference)
        if day.value_count >= MIN_VALUES_TO_FIT and (unit := detect_unit_change(reference, day)):
            units[place] = unit
    scales = {round(float(np.log(abs(unit.scale))), 1) for unit in units.values()}
    inside = np.isin(places, list(units))
    then = earlier.series[name]
    if len(scales) != 1 or not _has_moved_alone((then, then), (values[inside], values[~inside])):
        return None
    segment = format_periods(len(units), len(np.unique(places)), periods)
    return PartialUnitChange(next(iter(units.values())), float(inside.mean()), segment)


def find_mixture(blocks: Sequence[FloatArray], values: FloatArray) -> PartialUnitChange | None:
    """Return the known map that, on a share of scattered rows, explains how the values changed.

    `blocks` are the values in the reference's blocks: none of them has nearly as many values where
    those in the other unit lie.
    """
    reference = np.concatenate([*blocks, np.empty(0)])
    if min(len(reference), len(values)) < MIN_VALUES_TO_FIT:
        return None
    grid = np.quantile(np.concatenate([reference, values]), np.linspace(0.0, 1.0, GRID_POINTS))
    before, now = (_compute_shares_below(each, grid) for each in (reference, values))
    gap = float(np.abs(now - before).max())
    chance = 1.63 * np.sqrt(1 / len(reference) + 1 / len(values))
    limit = min(MAX_MIXTURE_GAP + chance, MAX_MIXTURE_GAP_OF_FEW, gap / MIN_EXPLAINED)
    found = []
    for unit in list_known_maps():
        mapped = _compute_shares_below(unit.scale * reference + unit.shift, grid)
        widest = int(np.argmax(np.abs(before - mapped)))
        if abs(before[widest] - mapped[widest]) < MIN_SEPARATION:
            continue
        share, left = _fit_share(before, mapped, now)
        if MIN_MIXED_SHARE <= share < 1.0 and left <= limit:
            above = bool(before[widest] > mapped[widest])
            mixed = PartialUnitChange(unit, share, "", float(grid[widest]), above)
            found.append((left, mixed))
    chosen = min(found, key=lambda each: each[0], default=(0.0, None))[1]
    return chosen if chosen and _is_beyond_blocks(chosen, blocks, values) else None


def _is_beyond_blocks(
    found: PartialUnitChange, blocks: Sequence[FloatArray], values: FloatArray
) -> bool:
    """Return whether far more values lie beyond the border than in any block of the reference."""
    border = found.border or 0.0
    shares = [
        float(((each > border) == found.above).mean())
        for each in (values, *(block for block in blocks if len(block)))
    ]
    return shares[0] - max(shares[1:]) >= MIN_SHARE_BEYOND_BLOCKS * found.fraction


def _fit_share(before: FloatArray, mapped: FloatArray, now: FloatArray) -> tuple[float, float]:
    """Return the share of mapped rows that fits best by least squares, and the largest gap left."""
    step = mapped - before
    share = float(np.clip((step @ (now - before)) / max(float(step @ step), 1e-12), 0.0, 1.0))
    return share, float(np.abs(before + share * step - now).max())


def _compute_shares_below(values: FloatArray, grid: FloatArray) -> FloatArray:
    shares: FloatArray = np.searchsorted(np.sort(values), grid, side="right") / len(values)
    return shares
