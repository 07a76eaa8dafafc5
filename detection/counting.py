"""Counts values that are in memory already: numbers as an array, categories as a tally.

Free of pandas and of SQL: what either of them reads is counted here, or as here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from detection.binning import edges_of
from detection.columns import Column
from detection.distinct import sketch_numbers, sketch_words
from detection.profile import CATEGORIES, KNOWN_CATEGORIES, ColumnProfile

Numbers = npt.NDArray[np.float64]


def count_numbers(
    numbers: Numbers,
    column: Column,
    *,
    rows: int,
    unreadable: int = 0,
    like: ColumnProfile | None = None,
) -> ColumnProfile:
    """The profile of a numeric column of so many rows, whose finite values are `numbers`.

    `unreadable` of the others are no numbers, rather than missing.
    """
    edges, cuts = (like.edges, like.cuts) if like else edges_of(numbers)
    places = np.searchsorted(np.asarray(edges), numbers, side="left")
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - len(numbers),
        unreadable=unreadable,
        edges=edges,
        cuts=cuts,
        counts=tuple(np.bincount(places, minlength=len(edges) + 1).tolist()),
        outside=_outside(numbers, column),
        sketch=sketch_numbers(numbers, edges),
        **_moments(numbers),
    )


def count_categories(
    tally: Mapping[str, int], column: Column, *, rows: int, like: ColumnProfile | None = None
) -> ColumnProfile:
    """The profile of a categorical column of so many rows with so many values of each name."""
    ranked = sorted(tally, key=lambda name: (-tally[name], name))
    names = like.categories if like else tuple(ranked[:CATEGORIES])
    counts = [tally.get(name, 0) for name in names]
    total = sum(tally.values())
    seen = set(like.known) if like and like.known is not None else None
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - total,
        categories=names,
        counts=(*counts, total - sum(counts)),
        known=tuple(sorted(tally)) if len(tally) <= KNOWN_CATEGORIES else None,
        unseen=0 if seen is None else sum(n for name, n in tally.items() if name not in seen),
        sketch=sketch_words(tally),
    )


def _moments(numbers: Numbers) -> dict[str, Any]:
    if not len(numbers):
        return {}
    scale = float(np.abs(numbers).max()) or 1.0
    return {
        "mean": float(np.mean(numbers / scale)) * scale,
        "std": float(np.std(numbers / scale)) * scale,
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
    }


def _outside(numbers: Numbers, column: Column) -> int:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    return int(((numbers < low) | (numbers > high)).sum())
