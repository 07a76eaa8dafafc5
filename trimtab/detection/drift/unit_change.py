"""Tells a change of unit from a change of the world: one map y = a x + b explains all that moved.

Any two bell curves are each other's affine image, so a map with both parameters free proves
nothing. What counts is a known map, or a free factor large enough that hardly any world grows by
it while it keeps its shape; and what the map leaves unexplained must be tiny beside what it
explains. A window that drifted in other ways besides is not recognised: it is then called drift.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.wasserstein import cumulative_gap, cumulative_shares
from trimtab.detection.profiles.window_profile import ColumnProfile

MANY_VALUES: Final = 10
"""A reference with fewer different values holds codes or flags, without a unit. Of the current
profile it is not asked, whose values may all lie in the few bins beyond the reference's."""
FEWEST: Final = 100
"""Values on either side without which no map is fitted."""
FAR: Final = 5.0
"""Factor from which chance hardly matches a known one, so that other drift is let pass."""
FREE: Final = 3.0
"""Smallest factor that counts though it is not known."""
MOVED: Final = 0.25
"""Gap between the cumulative shares below which there is nothing to explain."""
DISPLACED: Final = 1.5
"""Standard deviations that the mean must have moved for a map with a shift or another sign."""
PRECISE: Final = 0.005
"""Relative standard error of the ratio of means at which a small factor can still be told."""


class AffineMap(NamedTuple):
    """y = scale x + shift: how the reference's values became the current ones."""

    scale: float
    shift: float
    meaning: str
    """In words, such as "degrees Celsius to Fahrenheit"."""

    @property
    def inverse(self) -> "AffineMap":
        """The way back: x from y."""
        return AffineMap(
            1 / self.scale, 0.0 - self.shift / self.scale, f"{self.meaning}, backwards"
        )


class Misfit(NamedTuple):
    """What a map leaves unexplained."""

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
_SHIFTED: Final = (
    AffineMap(1.8, 32.0, "degrees Celsius to degrees Fahrenheit"),
    AffineMap(1.0, 273.15, "degrees Celsius to kelvins"),
    AffineMap(1.8, -459.67, "kelvins to degrees Fahrenheit"),
)
_FLIPPED: Final = AffineMap(-1.0, 0.0, "one sign to the other")


def changed_unit(reference: ColumnProfile, current: ColumnProfile) -> AffineMap | None:
    """The map that explains what became of the column, or None where none does."""
    if not _measurable(reference) or not _measurable(current):
        return None
    with np.errstate(all="ignore"):  # what overflows fits nothing
        return _best_map(reference, current)


def _best_map(reference: ColumnProfile, current: ColumnProfile) -> AffineMap | None:
    if cumulative_gap(reference, current) < MOVED or reference.distinct < MANY_VALUES:
        return None
    fitting = [
        each for each in _candidates(reference, current) if _explains(each, reference, current)
    ]
    # Known maps go before the free one.
    return min(
        fitting,
        key=lambda each: (not each.meaning, sum(misfit(each, reference, current))),
        default=None,
    )


def misfit(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> Misfit:
    """What the map leaves unexplained; both profiles hold different numbers."""
    mean, std = reference.mean or 0.0, abs(unit.scale) * (reference.std or 1.0)
    return Misfit(
        abs((current.mean or 0.0) - (unit.scale * mean + unit.shift)) / std,
        float(abs(np.log((current.std or std) / std))),
        _gap(unit, reference, current),
    )


def _measurable(profile: ColumnProfile) -> bool:
    numeric = profile.column.kind is FeatureKind.NUMERIC and bool(profile.std)
    return numeric and profile.present >= FEWEST


def _candidates(reference: ColumnProfile, current: ColumnProfile) -> Iterator[AffineMap]:
    for unit in (*(AffineMap(factor, 0.0, what) for factor, what in _FACTORS), *_SHIFTED):
        yield unit
        yield unit.inverse
    yield _FLIPPED
    before, now = reference.mean or 0.0, current.mean or 0.0
    if before * now > 0 and max(now / before, before / now) >= FREE:
        yield AffineMap(now / before, 0.0, "")


def _explains(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Whether hardly anything is left, beyond what samples of these sizes differ by chance."""
    left = misfit(unit, reference, current)
    chance = float(np.sqrt(1 / reference.present + 1 / current.present))
    if not _within(unit, reference, current):
        return False
    size = abs(float(np.log(abs(unit.scale))))
    if unit.meaning and size >= np.log(FAR):
        return _fits(left, Misfit(0.25, min(0.1 * size, 0.5), 0.1), chance)
    if not _fits(left, Misfit(0.1, 0.03, 0.03), chance):
        return False
    if unit.shift or unit.scale < 0:
        unexplained = misfit(AffineMap(1.0, 0.0, ""), reference, current).mean
        return unexplained >= DISPLACED * max(abs(unit.scale), 1.0)
    return _exact(unit, reference, current, chance=chance)


def _fits(left: Misfit, allowed: Misfit, chance: float) -> bool:
    """Whether no more is left than allowed; `chance` is the standard error of a mean."""
    return all(each <= most + 3 * chance for each, most in zip(left, allowed, strict=True))


def _exact(
    unit: AffineMap, reference: ColumnProfile, current: ColumnProfile, *, chance: float
) -> bool:
    """Whether means are known well enough to tell a small factor from growth, and agree with it."""
    before, now = reference.mean or 0.0, current.mean or 0.0
    if before * now <= 0:
        return False
    if abs(np.log(unit.scale)) >= np.log(FAR):
        return True
    error = chance * (reference.std or 0.0) / abs(before)
    off = abs(float(np.log(now / before / unit.scale)))
    return error <= PRECISE and off <= max(PRECISE / 2, 2 * error)


def _within(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Whether the current values stay where the reference's map to, give or take twice that."""
    low, high = reference.minimum or 0.0, reference.maximum or 0.0
    ends = sorted((unit.scale * low + unit.shift, unit.scale * high + unit.shift))
    slack = 2 * (ends[1] - ends[0])
    smallest, largest = current.minimum or 0.0, current.maximum or 0.0
    return ends[0] - slack <= smallest and largest <= ends[1] + slack


def _gap(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> float:
    edges = np.asarray(reference.edges)
    ends = np.concatenate([[reference.minimum], edges, [reference.maximum]])
    below = np.concatenate([[0.0], cumulative_shares(reference), [1.0]])
    order = np.argsort(ends, kind="stable")
    # The edge just below an atom is no more than rounding away from it: the map would blur them.
    apart = np.append(np.diff(edges) > 1e-9 * np.abs(edges[1:]), True)
    origin, now = (edges[apart] - unit.shift) / unit.scale, cumulative_shares(current)[apart]
    gaps = []
    for nudge in (-1e-9, 0.0, 1e-9):
        then = np.interp(origin + nudge * np.abs(origin), ends[order], below[order])
        gaps.append(np.abs(now - (then if unit.scale > 0 else 1 - then)))
    return float(np.minimum.reduce(gaps).max(initial=0.0))
