"""Counts values that are in memory already: numbers as an array, categories as a tally.

Free of pandas and of SQL: what either of them reads is counted here, or as here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.binning import choose_edges
from trimtab.detection.profiles.categories import (
    CategoryBins,
    choose_category_bins,
    count_category_bins,
    count_singletons,
)
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import (
    compute_hash_range,
    sketch_numbers,
    sketch_texts,
)
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES, ColumnProfile


def profile_numbers(
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
    edges, cuts = (like.edges, like.cuts) if like else choose_edges(ordered)[:2]
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
        outside=_count_out_of_bounds(ordered, column),
        sketch=sketch_numbers(ordered, hashed_by or compute_hash_range(edges)) if sketched else "",
        hashed_by=hashed_by,
        **_compute_moments(ordered),
    )


def profile_categories(
    tally: Mapping[str, int], column: Column, *, rows: int, like: ColumnProfile | None = None
) -> ColumnProfile:
    """The profile of a categorical column of so many rows with so many values of each name."""
    bins = CategoryBins(like.categories, like.others) if like else choose_category_bins(tally)
    total = sum(tally.values())
    seen = set(like.known) if like and like.known is not None else None
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - total,
        categories=bins.categories,
        others=bins.others,
        counts=count_category_bins(bins, tally, present=total),
        known=tuple(sorted(tally)) if len(tally) <= MAX_KNOWN_CATEGORIES else None,
        once=None if like else count_singletons(tally),
        unseen=0 if seen is None else sum(n for name, n in tally.items() if name not in seen),
        sketch=sketch_texts(tally),
    )


def _compute_moments(ordered: FloatArray) -> dict[str, Any]:
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


def _count_out_of_bounds(ordered: FloatArray, column: Column) -> int:
    below = 0 if column.minimum is None else np.searchsorted(ordered, column.minimum, side="left")
    upto = (
        len(ordered)
        if column.maximum is None
        else np.searchsorted(ordered, column.maximum, side="right")
    )
    return int(below + len(ordered) - upto)
