"""Finds atoms: a value that many rows share now, and that no block of the reference had as often.

A default in place of missing values, a sentinel such as -999, or an outcome that is not known yet
and stored as 0, is an atom. A value that has always been frequent, such as no rain, is none as long
as it is not far more frequent than in any block of the reference.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from trimtab.detection.drift.proportion_tests import two_proportion_test
from trimtab.detection.drift.quality_faults import MIN_SHARE_RISE
from trimtab.detection.drift.unit_change import MIN_DISTINCT_OF_MEASUREMENT
from trimtab.detection.profiles.arrays import FloatArray

MIN_VALUES_FOR_ATOMS: Final = 100
"""Values that a window needs, and the reference too."""
MAX_ATOMS: Final = 3
"""Most frequent values that are looked at."""
MIN_SENTINEL_SHARE: Final = 0.01
"""Rise of the share from which a value beyond the reference's range is an atom."""
USUAL_RISES: Final = 2.0
"""How many times the largest rise in a block of the reference an atom must have risen."""
MAX_SHIFT_OF_OTHERS: Final = 0.05
"""Gap between the distributions of all other values up to which they have not moved: if they have,
the atom is a sign of an honest change."""
MAX_GRID_STEPS: Final = 100
"""Distinct values up to which a column counts steps rather than measures."""
MIN_SHARE_ON_GRID: Final = 0.5
"""Share of the other values that a column of steps must still have on its steps."""
NATURAL_ATOM_SHARE: Final = 0.002
"""Share in the reference from which a value is a natural one."""


class DefaultValue(NamedTuple):
    """A value that many rows share now."""

    value: float
    share: float
    """Its share of the values now."""
    before: float
    """Its largest share in a block of the reference."""
    beyond: bool
    """Whether it lies outside of the reference's range."""


def find_default_value(values: FloatArray, blocks: Sequence[FloatArray]) -> DefaultValue | None:
    """Return the value whose share has risen most, beyond every block of the reference.

    `values` are the known ones of the window, and `blocks` those of the reference's blocks.
    """
    reference = np.concatenate([*blocks, np.empty(0)])
    enough = min(len(values), len(reference)) >= MIN_VALUES_FOR_ATOMS
    if not enough or len(np.unique(reference)) < MIN_DISTINCT_OF_MEASUREMENT:
        return None
    usual = _measure_usual_rise(blocks)
    found = [
        _measure_atom(float(value), values, reference, blocks) for value in _list_atoms(values)
    ]
    rising = [atom for atom in found if _is_unusual(atom, values, reference, usual)]
    return max(rising, key=lambda atom: atom.share - atom.before, default=None)


def _list_atoms(values: FloatArray) -> FloatArray:
    distinct, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_ATOMS]
    atoms: FloatArray = distinct[order][counts[order] >= MIN_SENTINEL_SHARE * len(values)]
    return atoms


def _measure_atom(
    value: float, values: FloatArray, reference: FloatArray, blocks: Sequence[FloatArray]
) -> DefaultValue:
    before = max([float((block == value).mean()) for block in blocks if len(block)], default=0.0)
    low, high = float(reference.min()), float(reference.max())
    slack = (high - low) / 10
    beyond = not low - slack <= value <= high + slack
    return DefaultValue(value, float((values == value).mean()), before, beyond)


def _measure_usual_rise(blocks: Sequence[FloatArray]) -> float:
    """Return the largest rise of a value's share in one block above its share in the others."""
    rises = [0.0]
    for index, block in enumerate(blocks):
        others = np.concatenate([*blocks[:index], *blocks[index + 1 :], np.empty(0)])
        if len(block) and len(others):
            atoms = _list_atoms(block)
            rises.extend(float((block == atom).mean() - (others == atom).mean()) for atom in atoms)
    return max(rises)


def _is_unusual(
    atom: DefaultValue, values: FloatArray, reference: FloatArray, usual: float
) -> bool:
    risen, count = atom.share - atom.before, round(atom.share * len(values))
    least = MIN_SENTINEL_SHARE if atom.beyond else MIN_SHARE_RISE
    counted = int((reference == atom.value).sum())
    if risen < max(least, USUAL_RISES * usual):
        return False
    if not two_proportion_test(count, len(values), counted, len(reference)):
        return False
    natural = counted > NATURAL_ATOM_SHARE * len(reference)
    if natural:
        return not _have_others_moved(atom.value, values, reference)
    return not _have_others_left_their_grid(atom.value, values, reference)


def _have_others_left_their_grid(value: float, values: FloatArray, reference: FloatArray) -> bool:
    """Return whether values of a few steps, such as counts, lie on other steps now.

    All of them moved then, and the most frequent one is none that stands for others.
    """
    distinct = np.unique(reference)
    if len(distinct) > MAX_GRID_STEPS:
        return False
    others = values[values != value]
    return bool(len(others) and np.isin(others, distinct).mean() < MIN_SHARE_ON_GRID)


def _have_others_moved(value: float, values: FloatArray, reference: FloatArray) -> bool:
    now, before = (np.sort(each[each != value]) for each in (values, reference))
    if min(len(now), len(before)) < MIN_DISTINCT_OF_MEASUREMENT:
        return False
    points = np.concatenate([now, before])
    gaps = np.abs(
        np.searchsorted(now, points, side="right") / len(now)
        - np.searchsorted(before, points, side="right") / len(before)
    )
    chance = 1.63 * np.sqrt(1 / len(now) + 1 / len(before))
    return bool(gaps.max() > max(MAX_SHIFT_OF_OTHERS, chance))
