"""Merges profiles over the same bins: the profile of a table is that of its partitions, merged."""

import math
from typing import Any

from trimtab.contracts.drift import Window
from trimtab.detection.profiles.distinct_count import merge_sketches
from trimtab.detection.profiles.window_profile import (
    MAX_KNOWN_CATEGORIES,
    ColumnProfile,
    WindowProfile,
)


def merge_columns(first: ColumnProfile, second: ColumnProfile) -> ColumnProfile:
    """Return the profile of a column in two partitions together; associative and commutative.

    Counts are exact; mean and standard deviation are exact up to the rounding of floating point
    (Chan, Golub and LeVeque, 1979).

    Raises:
        ValueError: The profiles were counted over different bins.
    """
    same = ("column", "edges", "cuts", "categories", "others", "hashed_by")
    differing = [name for name in same if getattr(first, name) != getattr(second, name)]
    if differing:
        msg = (
            f"profiles of column {first.column.name!r} differ in {', '.join(differing)}:"
            " profile both over the bins of one reference (`like`)"
        )
        raise ValueError(msg)
    added = ("rows", "nulls", "unreadable", "unseen", "outside")
    return first.model_copy(
        update={
            **{name: getattr(first, name) + getattr(second, name) for name in added},
            "counts": tuple(a + b for a, b in zip(first.counts, second.counts, strict=True)),
            "known": _merge_known(first, second),
            "once": _merge_once(first, second),
            "sketch": merge_sketches(first.sketch, second.sketch),
            **_merge_moments(first, second),
        }
    )


def merge_windows(first: WindowProfile, second: WindowProfile) -> WindowProfile:
    """Return the profile of two partitions of a window, or two windows, together.

    It is associative and commutative. Rows that repeat a row of the other partition do not count as
    duplicates.

    Raises:
        ValueError: The profiles hold different columns, or were counted over different bins.
    """
    if [each.column for each in first.columns] != [each.column for each in second.columns]:
        msg = (
            f"profiles of {first.model!r} and {second.model!r} hold different columns:"
            " profile the same columns in both"
        )
        raise ValueError(msg)
    newest = [each.newest for each in (first, second) if each.newest is not None]
    window = Window(
        start=min(first.window.start, second.window.start),
        end=max(first.window.end, second.window.end),
        rows=first.window.rows + second.window.rows,
    )
    columns = zip(first.columns, second.columns, strict=True)
    return first.model_copy(
        update={
            "window": window,
            "columns": tuple(merge_columns(one, other) for one, other in columns),
            "filled": tuple(sorted({*first.filled, *second.filled})),
            "duplicates": first.duplicates + second.duplicates,
            "newest": max(newest, default=None),
            "untimed": first.untimed + second.untimed,
        }
    )


def _merge_known(first: ColumnProfile, second: ColumnProfile) -> tuple[str, ...] | None:
    if first.known is None or second.known is None:
        return None
    names = sorted({*first.known, *second.known})
    return tuple(names) if len(names) <= MAX_KNOWN_CATEGORIES else None


def _merge_once(first: ColumnProfile, second: ColumnProfile) -> int | None:
    """Return the number of singletons; None if both hold values, which may have some in common."""
    if not second.value_count:
        return first.once
    return None if first.value_count else second.once


def _merge_moments(first: ColumnProfile, second: ColumnProfile) -> dict[str, Any]:
    filled = [each for each in (first, second) if each.mean is not None]
    total = sum(each.value_count for each in filled)
    if not total:
        return {"mean": None, "std": None, "minimum": None, "maximum": None}
    mean = math.fsum(each.value_count / total * (each.mean or 0.0) for each in filled)
    variance = math.fsum(
        each.value_count / total * ((each.std or 0.0) ** 2 + ((each.mean or 0.0) - mean) ** 2)
        for each in filled
    )
    return {
        "mean": mean,
        "std": math.sqrt(variance),
        "minimum": min(each.minimum for each in filled if each.minimum is not None),
        "maximum": max(each.maximum for each in filled if each.maximum is not None),
    }
