"""Profiles values that are in memory already: numbers as an array, categories as a tally.

It needs neither pandas nor SQL: both read values that are counted here, or count as here.
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
    """Return the profile of a numeric column with that many rows and these finite values.

    `unreadable` of the other rows hold a value that is no number; the rest hold none. Numbers are
    sorted first, in whatever order the rows are: most figures are then read at a known position.
    """
    ordered = np.sort(numbers)
    edges, cuts = (like.edges, like.cuts) if like else choose_edges(ordered)[:2]
    below = np.searchsorted(ordered, np.asarray(edges), side="right")
    hashed_by = like.hashed_by if like else None
    hash_range = hashed_by or compute_hash_range(edges)
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - len(ordered),
        unreadable=unreadable,
        edges=edges,
        cuts=cuts,
        counts=tuple(np.diff(below, prepend=0, append=len(ordered)).tolist()),
        outside=_count_out_of_bounds(ordered, column),
        sketch=sketch_numbers(ordered, hash_range) if sketched else "",
        hashed_by=hashed_by,
        **_compute_moments(ordered),
    )


def profile_categories(
    tally: Mapping[str, int], column: Column, *, rows: int, like: ColumnProfile | None = None
) -> ColumnProfile:
    """Return the profile of a categorical column with these rows and values by category."""
    bins = CategoryBins(like.categories, like.others) if like else choose_category_bins(tally)
    value_count = sum(tally.values())
    known = set(like.known) if like and like.known is not None else None
    new = [] if known is None else [count for name, count in tally.items() if name not in known]
    return ColumnProfile(
        column=column,
        rows=rows,
        nulls=rows - value_count,
        categories=bins.categories,
        others=bins.others,
        counts=count_category_bins(bins, tally, value_count=value_count),
        known=tuple(sorted(tally)) if len(tally) <= MAX_KNOWN_CATEGORIES else None,
        once=None if like else count_singletons(tally),
        unseen=sum(new),
        sketch=sketch_texts(tally),
    )


def _compute_moments(ordered: FloatArray) -> dict[str, Any]:
    """Return mean and standard deviation, scaled so that no square overflows, and the ends."""
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
    low, high = column.minimum, column.maximum
    below = 0 if low is None else np.searchsorted(ordered, low, side="left")
    up_to = len(ordered) if high is None else np.searchsorted(ordered, high, side="right")
    return int(below + len(ordered) - up_to)
