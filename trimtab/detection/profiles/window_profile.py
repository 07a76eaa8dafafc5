"""The record of one window, small enough to travel: what later windows are compared with.

A profile counted over the bins of an earlier one (`like`) can be compared with it, and profiles
over the same bins add up: the profile of a table is that of its partitions, merged.
"""

import math
from itertools import pairwise
from typing import Any, Final

import numpy as np
from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Fraction, Name, Record
from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import estimate_distinct_count, merge_sketches

MAX_BINS: Final = 256
"""Most bins of a numeric column."""
MAX_KNOWN_CATEGORIES: Final = 1000
"""Most categories remembered, to tell whether a later one has been seen before."""
OTHER_BIN: Final = "(other)"


class ColumnProfile(Record):
    """One column in one window."""

    column: Column
    rows: int = Field(ge=0)
    nulls: int = Field(ge=0)
    """Missing values, those that could not be read as numbers included."""
    unreadable: int = Field(default=0, ge=0)
    """Values of a numeric column that are no finite numbers."""
    edges: tuple[float, ...] = ()
    """Numeric: n ascending edges part n + 1 bins; a value on an edge belongs to the bin below."""
    cuts: tuple[int, ...] = ()
    """Numeric: places in `edges` of the reference's deciles, which part the ten coarse bins; empty
    where every edge does."""
    categories: tuple[str, ...] = ()
    """Categorical: the names counted, most frequent first."""
    others: int = Field(default=1, ge=1)
    """Categorical: bins that count all other categories, parted by `detection.categories`."""
    counts: tuple[int, ...] = ()
    """Values per bin."""
    known: tuple[str, ...] | None = None
    """Every category seen; None where they are too many to keep."""
    once: int | None = Field(default=None, ge=0)
    """Categorical: how many categories were seen just once; None where that was not counted, as
    over the bins of an earlier profile."""
    unseen: int = Field(default=0, ge=0)
    """Values in categories that the profile it is compared with has never seen."""
    outside: int = Field(default=0, ge=0)
    """Values beyond the column's sensible bounds."""
    mean: float | None = None
    std: float | None = None
    """Of the values seen, not of a population they are drawn from."""
    minimum: float | None = None
    maximum: float | None = None
    sketch: str = ""
    """Which values there are, in 124 bits: see `detection.distinct`."""
    hashed_by: tuple[float, float] | None = None
    """Numeric: the middle by which values were hashed for it; None for that of `edges`."""

    @property
    def present(self) -> int:
        """How many values there are."""
        return self.rows - self.nulls

    @property
    def null_fraction(self) -> Fraction:
        """Share of rows without a value; 0 where there are no rows."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def bins(self) -> tuple[str, ...]:
        """Each bin's name."""
        if self.column.kind is FeatureKind.CATEGORICAL:
            parts = [f"(other, part {n} of {self.others})" for n in range(1, self.others + 1)]
            return (*self.categories, *(parts if self.others > 1 else [OTHER_BIN]))
        bounds = ["-inf", *(f"{edge:.6g}" for edge in self.edges), "inf"]
        return tuple(f"({low}, {high}]" for low, high in pairwise(bounds))

    @property
    def distinct(self) -> int:
        """Different values: exact up to 1,000 categories and for constants, else an estimate.

        Numbers that fill as many bins as there are values to a bin are counted exactly too.
        """
        if self.known is not None:
            return len(self.known)
        if self.column.kind is FeatureKind.CATEGORICAL:
            return max(round(estimate_distinct_count(self.sketch)), MAX_KNOWN_CATEGORIES + 1)
        if self.minimum == self.maximum:
            return min(self.present, 1)
        filled = sum(count > 0 for count in self.counts)
        return min(max(round(estimate_distinct_count(self.sketch)), filled, 2), self.present)

    @property
    def deciles(self) -> tuple[float, ...]:
        """Numeric: the 10th to 90th percentile, read off the bins."""
        return (
            tuple(compute_quantile(self, tenth / 10) for tenth in range(1, 10))
            if self.edges
            else ()
        )


class WindowProfile(Record):
    """All columns of one window."""

    model: Name
    window: Window
    columns: tuple[ColumnProfile, ...]
    filled: tuple[str, ...] = ()
    """Every column of the table that holds a value in this window, watched or not."""
    duplicates: int = Field(default=0, ge=0)
    """Rows that repeat an earlier one in every column."""
    newest: AwareDatetime | None = None
    """Time of the newest row; None where there are none."""
    untimed: int = Field(default=0, ge=0)
    """Rows whose time is missing or cannot be read, where all rows of a table were asked for."""

    def find(self, name: str) -> ColumnProfile | None:
        """The column's profile, or None."""
        return next((each for each in self.columns if each.column.name == name), None)


def compute_shares(profile: ColumnProfile) -> FloatArray:
    """Share of the values in each bin; all zero where there are no values."""
    counts: FloatArray = np.asarray(profile.counts, dtype="float64")
    share: FloatArray = counts / max(counts.sum(), 1.0)
    return share


def coarsen_bins(profile: ColumnProfile) -> ColumnProfile:
    """The same column in the usual ten bins of the population stability index.

    `coarse(p).counts`, `.edges`, `.bins` and `shares(coarse(p))` then speak of those; categories
    stay as they are.
    """
    if not profile.cuts:
        return profile
    bounds = [0, *(place + 1 for place in profile.cuts), len(profile.counts)]
    counts = tuple(sum(profile.counts[low:high]) for low, high in pairwise(bounds))
    edges = tuple(profile.edges[place] for place in profile.cuts)
    return profile.model_copy(update={"edges": edges, "cuts": (), "counts": counts})


def compute_quantile(profile: ColumnProfile, fraction: float) -> float:
    """The value below which a share of a numeric column lies, even within a bin; NaN if empty."""
    if profile.minimum is None or profile.maximum is None:
        return math.nan
    below = np.concatenate([[0.0], np.cumsum(profile.counts)])
    ends = np.clip(
        [profile.minimum, *profile.edges, profile.maximum], profile.minimum, profile.maximum
    )
    wanted = fraction * below[-1]
    place = min(max(int(np.searchsorted(below, wanted, side="left")) - 1, 0), len(ends) - 2)
    inside = (wanted - below[place]) / max(below[place + 1] - below[place], 1.0)
    return float(ends[place] + inside * (ends[place + 1] - ends[place]))


def merge_columns(first: ColumnProfile, second: ColumnProfile) -> ColumnProfile:
    """The column in two partitions of a window together; associative and commutative.

    Both were counted over the same bins: raises `ValueError` where they were not. Counts are exact;
    mean and std are so up to the rounding of floating point (Chan, Golub and LeVeque, 1979).
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
    """Two partitions of a window, or two windows, together; associative and commutative.

    Rows that repeat one of the other partition are not counted as duplicates.
    """
    if [each.column for each in first.columns] != [each.column for each in second.columns]:
        msg = f"profiles of {first.model!r} and {second.model!r} watch different columns"
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
    """Unknown of two that both hold values: what each saw once may be the same."""
    if not second.present:
        return first.once
    return None if first.present else second.once


def _merge_moments(first: ColumnProfile, second: ColumnProfile) -> dict[str, Any]:
    parts = [each for each in (first, second) if each.mean is not None]
    total = sum(each.present for each in parts)
    if not total:
        return {"mean": None, "std": None, "minimum": None, "maximum": None}
    mean = math.fsum(each.present / total * (each.mean or 0.0) for each in parts)
    variance = math.fsum(
        each.present / total * ((each.std or 0.0) ** 2 + ((each.mean or 0.0) - mean) ** 2)
        for each in parts
    )
    return {
        "mean": mean,
        "std": math.sqrt(variance),
        "minimum": min(each.minimum for each in parts if each.minimum is not None),
        "maximum": max(each.maximum for each in parts if each.maximum is not None),
    }
