"""Tells a change of unit from a change in the world: one map y = a x + b explains the change.

Any two normal distributions are each other's affine image, so a map with two free parameters
proves nothing. What counts is a known map, or an unknown factor so large that hardly any quantity
grows by it while it keeps its shape; and the map must leave next to nothing unexplained. A window
that drifted in other ways as well is not recognised: it counts as drift.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.wasserstein import (
    compute_cumulative_shares,
    compute_kolmogorov_distance,
)
from trimtab.detection.profiles.window_profile import ColumnProfile

MIN_DISTINCT_OF_MEASUREMENT: Final = 10
"""Distinct values of a measured quantity at least; a column with fewer holds codes or flags. It is
asked of the reference only: in the current profile all values may lie in the few bins beyond the
reference's."""
MIN_VALUES_TO_FIT: Final = 100
"""Values on either side without which no map is fitted."""
LARGE_FACTOR: Final = 5.0
"""Factor from which a known map hardly fits by chance, so that some other drift is tolerated."""
MIN_UNKNOWN_FACTOR: Final = 3.0
"""Smallest factor that counts as a change of unit although it is not a known one."""
MIN_GAP_TO_EXPLAIN: Final = 0.25
"""Gap between the cumulative shares below which there is no change to explain."""
MIN_MEAN_SHIFT: Final = 1.5
"""Standard deviations that the mean must have moved for a map with a shift or another sign."""
FAR_FACTOR: Final = 1.5
"""Factor from which a whole distribution seldom grows between two windows."""
MAX_FAR_RATIO_ERROR: Final = 0.02
"""Relative standard error of the ratio of means up to which such a factor can be recognised."""
MAX_RATIO_ERROR: Final = 0.005
"""Relative standard error of the ratio of means up to which a small factor can be recognised."""


class AffineMap(NamedTuple):
    """The map y = scale x + shift from the reference's values to the current ones."""

    scale: float
    shift: float
    meaning: str
    """The change in words, such as "degrees Celsius to Fahrenheit"; empty for an unknown one."""

    @property
    def inverse(self) -> "AffineMap":
        """The map from y back to x."""
        return AffineMap(
            1 / self.scale, 0.0 - self.shift / self.scale, f"{self.meaning}, backwards"
        )


class Misfit(NamedTuple):
    """The differences that a map leaves unexplained."""

    mean: float
    """Distance of the means, in mapped standard deviations of the reference."""
    spread: float
    """Absolute logarithm of the ratio of the standard deviations."""
    shape: float
    """Largest gap between the cumulative shares at the edges, 0 to 1."""


_FACTORS: Final = (
    (10.0, "tens to ones"),
    (100.0, "whole units to hundredths such as cents or percent"),
    (1e3, "whole units to thousandths"),
    (1e6, "whole units to millionths"),
    (1e9, "whole units to billionths"),
    (60.0, "hours to minutes or minutes to seconds"),
    (3600.0, "hours to seconds"),
    (86400.0, "days to seconds"),
    (24.0, "days to hours"),
    (365.25, "years to days"),
    (7.0, "weeks to days"),
    (12.0, "years to months or feet to inches"),
    (1.609344, "miles to kilometres"),
    (3.28084, "metres to feet"),
    (2.54, "inches to centimetres"),
    (25.4, "inches to millimetres"),
    (2.204623, "kilograms to pounds"),
    (28.34952, "ounces to grams"),
    (453.59237, "pounds to grams"),
    (3.785412, "gallons to litres"),
    (3.6, "m/s to km/h"),
    (57.29578, "radians to degrees"),
    (33.86389, "inHg to hPa"),
    (6.894757, "psi to kPa"),
)
_SHIFTED_MAPS: Final = (
    AffineMap(1.8, 32.0, "degrees Celsius to degrees Fahrenheit"),
    AffineMap(1.0, 273.15, "degrees Celsius to kelvins"),
    AffineMap(1.8, -459.67, "kelvins to degrees Fahrenheit"),
)
_SIGN_CHANGE: Final = AffineMap(-1.0, 0.0, "one sign to the other")


def detect_unit_change(reference: ColumnProfile, current: ColumnProfile) -> AffineMap | None:
    """Return the map that explains how the column changed, or None if there is none."""
    if not _is_measurable(reference) or not _is_measurable(current):
        return None
    with np.errstate(all="ignore"):  # what overflows fits nothing
        return _find_best_map(reference, current)


def _find_best_map(reference: ColumnProfile, current: ColumnProfile) -> AffineMap | None:
    gap = compute_kolmogorov_distance(reference, current)
    if gap < MIN_GAP_TO_EXPLAIN or reference.distinct_count < MIN_DISTINCT_OF_MEASUREMENT:
        return None
    fitting = [
        unit
        for unit in _list_candidates(reference, current)
        if _explains_change(unit, reference, current)
    ]
    # Known maps go before the unknown factor.
    return min(
        fitting,
        key=lambda unit: (not unit.meaning, sum(compute_misfit(unit, reference, current))),
        default=None,
    )


def compute_misfit(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> Misfit:
    """Return what the map leaves unexplained; both profiles must hold different numbers."""
    mean, std = reference.mean or 0.0, abs(unit.scale) * (reference.std or 1.0)
    return Misfit(
        abs((current.mean or 0.0) - (unit.scale * mean + unit.shift)) / std,
        float(abs(np.log((current.std or std) / std))),
        _compute_shape_gap(unit, reference, current),
    )


def _is_measurable(profile: ColumnProfile) -> bool:
    numeric = profile.column.kind is FeatureKind.NUMERIC and bool(profile.std)
    return numeric and profile.value_count >= MIN_VALUES_TO_FIT


def list_known_maps() -> Iterator[AffineMap]:
    """Yield the maps between units that are in use, both ways."""
    factors = (AffineMap(factor, 0.0, meaning) for factor, meaning in _FACTORS)
    for unit in (*factors, *_SHIFTED_MAPS):
        yield unit
        yield unit.inverse


def _list_candidates(reference: ColumnProfile, current: ColumnProfile) -> Iterator[AffineMap]:
    yield from list_known_maps()
    yield _SIGN_CHANGE
    before, now = reference.mean or 0.0, current.mean or 0.0
    if before * now > 0 and max(now / before, before / now) >= MIN_UNKNOWN_FACTOR:
        yield AffineMap(now / before, 0.0, "")


def _explains_change(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Return whether the map leaves no more than samples of these sizes differ by chance."""
    misfit = compute_misfit(unit, reference, current)
    mean_error = float(np.sqrt(1 / reference.value_count + 1 / current.value_count))
    if not _stays_in_mapped_range(unit, reference, current):
        return False
    size = abs(float(np.log(abs(unit.scale))))
    if unit.meaning and size >= np.log(LARGE_FACTOR):
        return _is_within(misfit, Misfit(0.25, min(0.1 * size, 0.5), 0.1), mean_error)
    if not _is_within(misfit, Misfit(0.1, 0.03, 0.03), mean_error):
        return False
    if unit.shift or unit.scale < 0:
        unexplained = compute_misfit(AffineMap(1.0, 0.0, ""), reference, current).mean
        return unexplained >= MIN_MEAN_SHIFT * max(abs(unit.scale), 1.0)
    return _is_precise_enough(unit, reference, current, mean_error=mean_error)


def _is_within(misfit: Misfit, allowed: Misfit, mean_error: float) -> bool:
    """Return whether the misfit is as allowed, give or take three standard errors of a mean."""
    return all(each <= limit + 3 * mean_error for each, limit in zip(misfit, allowed, strict=True))


def _is_precise_enough(
    unit: AffineMap, reference: ColumnProfile, current: ColumnProfile, *, mean_error: float
) -> bool:
    """Return whether the means are precise enough to tell a small factor from growth, and agree."""
    before, now = reference.mean or 0.0, current.mean or 0.0
    if before * now <= 0:
        return False
    if abs(np.log(unit.scale)) >= np.log(LARGE_FACTOR):
        return True
    error = mean_error * (reference.std or 0.0) / abs(before)
    off = abs(float(np.log(now / before / unit.scale)))
    far = abs(np.log(unit.scale)) >= np.log(FAR_FACTOR)
    return error <= (MAX_FAR_RATIO_ERROR if far else MAX_RATIO_ERROR) and off <= max(
        MAX_RATIO_ERROR / 2, 2 * error
    )


def _stays_in_mapped_range(
    unit: AffineMap, reference: ColumnProfile, current: ColumnProfile
) -> bool:
    """Return whether the values lie in the mapped reference range, give or take twice its width."""
    low, high = reference.minimum or 0.0, reference.maximum or 0.0
    ends = sorted((unit.scale * low + unit.shift, unit.scale * high + unit.shift))
    slack = 2 * (ends[1] - ends[0])
    smallest, largest = current.minimum or 0.0, current.maximum or 0.0
    return ends[0] - slack <= smallest and largest <= ends[1] + slack


def _compute_shape_gap(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> float:
    """Return the largest gap between the current and the mapped cumulative shares, 0 to 1."""
    edges = np.asarray(reference.edges)
    ends = np.concatenate([[reference.minimum], edges, [reference.maximum]])
    below = np.concatenate([[0.0], compute_cumulative_shares(reference), [1.0]])
    order = np.argsort(ends, kind="stable")
    # The edge just below a frequent value is a rounding error away from it: the map blurs them.
    apart = np.append(np.diff(edges) > 1e-9 * np.abs(edges[1:]), True)
    origin = (edges[apart] - unit.shift) / unit.scale
    now = compute_cumulative_shares(current)[apart]
    gaps = []
    for nudge in (-1e-9, 0.0, 1e-9):
        then = np.interp(origin + nudge * np.abs(origin), ends[order], below[order])
        gaps.append(np.abs(now - (then if unit.scale > 0 else 1 - then)))
    return float(np.minimum.reduce(gaps).max(initial=0.0))
