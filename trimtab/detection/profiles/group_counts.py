"""Counts values that are in memory already: numbers as an array, categories as a tally.

Free of pandas and of SQL: what either of them reads is counted here, or as here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.binning import edges_of
from trimtab.detection.profiles.categories import Named, binned, named, once
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import middle_of, sketch_numbers, sketch_words
from trimtab.detection.profiles.window_profile import KNOWN_CATEGORIES, ColumnProfile


def count_numbers(
    numbers: FloatArray,
    column: Column,
    *,
    rows: int,
    unreadable: int = 0,
    like: ColumnProfile | None = None,
    sketched: bool = True,
) -> ColumnProfile:
    """The profile of a numeric column of so many rows, whose finite values are `numbers`.

    `unreadable` of the others are no numbers, rather than missing. Numbers are sorted first: most
    of what is asked is then at a known place, whatever the order of the rows.
    """
    ordered = np.sort(numbers)
    edges, cuts = (like.edges, like.cuts) if like else edges_of(ordered)[:2]
    upto = np.searchsorted(ordered, np.asarray(edges), side="right")
    hashed_by = like.hashed_by if like else None
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - len(ordered),
        unreadable=unreadable,
        edges=edges,
        cuts=cuts,
        counts=tuple(np.diff(upto, prepend=0, append=len(ordered)).tolist()),
        outside=_outside(ordered, column),
        sketch=sketch_numbers(ordered, hashed_by or middle_of(edges)) if sketched else "",
        hashed_by=hashed_by,
        **_moments(ordered),
    )


def count_categories(
    tally: Mapping[str, int], column: Column, *, rows: int, like: ColumnProfile | None = None
) -> ColumnProfile:
    """The profile of a categorical column of so many rows with so many values of each name."""
    bins = Named(like.categories, like.others) if like else named(tally)
    total = sum(tally.values())
    seen = set(like.known) if like and like.known is not None else None
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - total,
        categories=bins.categories,
        others=bins.others,
        counts=binned(bins, tally, present=total),
        known=tuple(sorted(tally)) if len(tally) <= KNOWN_CATEGORIES else None,
        once=None if like else once(tally),
        unseen=0 if seen is None else sum(n for name, n in tally.items() if name not in seen),
        sketch=sketch_words(tally),
    )


def _moments(ordered: FloatArray) -> dict[str, Any]:
    if not len(ordered):
        return {}
    low, high = float(ordered[0]), float(ordered[-1])
    scale = max(abs(low), abs(high)) or 1.0
    scaled = ordered / scale
    return {
        "mean": float(np.mean(scaled)) * scale,
        "std": float(np.std(scaled)) * scale,
        "minimum": low,
        "maximum": high,
    }


def _outside(ordered: FloatArray, column: Column) -> int:
    below = 0 if column.minimum is None else np.searchsorted(ordered, column.minimum, side="left")
    upto = (
        len(ordered)
        if column.maximum is None
        else np.searchsorted(ordered, column.maximum, side="right")
    )
    return int(below + len(ordered) - upto)
