"""Builds a column's profile from the aggregates that an engine returned."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.detection.profiles.binning import BinEdges
from trimtab.detection.profiles.categories import CategoryBins, count_category_bins
from trimtab.detection.profiles.distinct_count import encode_sketch, sketch_texts
from trimtab.detection.profiles.sampled_deciles import replace_sampled_deciles
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES, ColumnProfile
from trimtab.detection.tables.sql.column_request import ColumnRequest

AggregateRow = Mapping[str, Any]
"""One row of aggregates, by alias."""


@dataclass(frozen=True)
class CategoryCounts:
    """What an engine counted in a categorical column."""

    value_count: int
    """Number of values."""
    tally: Mapping[str, int]
    """Values by category; where categories are too many, of some only."""
    hashed: Mapping[str, int] | None = None
    """All other values, by the hexadecimal digits of their category's hash."""
    sketch: str | None = None
    """None where the tally holds every category."""
    once: int | None = None
    """Number of categories seen just once; None where that was not counted."""


def build_numeric_profile(
    request: ColumnRequest, row: AggregateRow, *, rows: int, counts: tuple[int, ...]
) -> ColumnProfile:
    """Return the profile of a numeric column from its aggregates and its values per bin."""
    value_count, missing = (
        int(row[request.alias("value_count")]),
        int(row[request.alias("missing")] or 0),
    )
    bins = BinEdges(request.edges, request.cuts, request.temporary)
    if request.needs_edges:
        near = row.get(request.alias("near_deciles")) or ()
        bins, counts = replace_sampled_deciles(bins, counts, near)
    return ColumnProfile(
        column=request.column,
        rows=rows,
        nulls=rows - value_count,
        unreadable=rows - missing - value_count,
        edges=bins.edges,
        cuts=bins.cuts,
        counts=counts,
        hashed_by=request.hash_range if request.temporary else request.hashed_by,
        outside=int(row.get(request.alias("outside")) or 0),
        sketch=read_sketch(request, row) if request.sketched else "",
        **(_read_moments(request, row) if value_count else {}),
    )


def build_categorical_profile(
    request: ColumnRequest, found: CategoryCounts, *, rows: int
) -> ColumnProfile:
    """Return the profile of a categorical column from its counts."""
    tally, value_count = found.tally, found.value_count
    is_complete = request.tallied is None and len(tally) <= MAX_KNOWN_CATEGORIES
    bins = CategoryBins(request.categories or (), request.others)
    known = request.known
    old = 0 if known is None else sum(count for name, count in tally.items() if name in known)
    return ColumnProfile(
        column=request.column,
        rows=rows,
        nulls=rows - value_count,
        categories=bins.categories,
        others=bins.others,
        counts=count_category_bins(bins, tally, value_count=value_count, hashed=found.hashed),
        known=tuple(sorted(tally)) if is_complete else None,
        once=found.once if request.needs_bins else None,
        unseen=0 if known is None else value_count - old,
        sketch=sketch_texts(tally) if found.sketch is None else found.sketch,
    )


def read_sketch(request: ColumnRequest, row: AggregateRow) -> str:
    """Return a column's sketch from the aliases `sketch_low` and `sketch_high`."""
    low, high = row.get(request.alias("sketch_low")), row.get(request.alias("sketch_high"))
    return encode_sketch(int(low or 0), int(high or 0))


def _read_moments(request: ColumnRequest, row: AggregateRow) -> dict[str, Any]:
    return {
        "mean": _drop_non_finite(row[request.alias("mean")] / request.scale),
        "std": _drop_non_finite(row[request.alias("std")] / request.scale),
        "minimum": row[request.alias("minimum")],
        "maximum": row[request.alias("maximum")],
    }


def _drop_non_finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
