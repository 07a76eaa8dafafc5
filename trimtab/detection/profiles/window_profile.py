"""The profile of one window, small enough to be sent: later windows are compared with it.

A profile counted over the bins of an earlier one (`like`) can be compared with it, and profiles
over the same bins can be merged: see `merging`.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np
from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Fraction, Name, Record
from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import estimate_distinct_count

MAX_BINS: Final = 256
"""Most bins of a numeric column."""
MAX_KNOWN_CATEGORIES: Final = 1000
"""Most categories that are kept, to find out whether a later one is new."""
OTHER_BIN: Final = "(other)"
"""Name of the bin of all other categories, where there is one bin for them."""


class ColumnProfile(Record):
    """One column in one window."""

    column: Column
    rows: int = Field(ge=0)
    nulls: int = Field(ge=0)
    """Rows without a value, or with one that is no finite number where numbers are expected."""
    unreadable: int = Field(default=0, ge=0)
    """Numeric: values that are no finite numbers; they are among `nulls` too."""
    edges: tuple[float, ...] = ()
    """Numeric: n ascending edges of n + 1 bins; a value on an edge belongs to the bin below."""
    cuts: tuple[int, ...] = ()
    """Numeric: positions in `edges` of the reference's deciles, which bound the ten coarse bins;
    empty where every edge is one."""
    categories: tuple[str, ...] = ()
    """Categorical: the categories with a bin of their own, the most frequent first."""
    others: int = Field(default=1, ge=1)
    """Categorical: number of bins for all other categories: see `categories`."""
    counts: tuple[int, ...] = ()
    """Values per bin."""
    known: tuple[str, ...] | None = None
    """Categorical: every category seen; None where they are too many to keep."""
    once: int | None = Field(default=None, ge=0)
    """Categorical: number of categories seen just once; None where that was not counted, as over
    the bins of an earlier profile."""
    unseen: int = Field(default=0, ge=0)
    """Categorical: values in categories that the profile it is compared with does not have."""
    outside: int = Field(default=0, ge=0)
    """Numeric: values beyond the column's sensible bounds."""
    mean: float | None = None
    std: float | None = None
    """Standard deviation of the values themselves (ddof 0), not of a population."""
    minimum: float | None = None
    maximum: float | None = None
    sketch: str = ""
    """Sketch of the distinct values, 124 bits in hexadecimal: see `distinct_count`."""
    hashed_by: tuple[float, float] | None = None
    """Numeric: the range by which values were hashed for the sketch; None for that of `edges`."""

    @property
    def value_count(self) -> int:
        """Number of values."""
        return self.rows - self.nulls

    @property
    def null_fraction(self) -> Fraction:
        """Share of the rows without a value; 0 if there are no rows."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def bin_names(self) -> tuple[str, ...]:
        """Name of each bin."""
        if self.column.kind is FeatureKind.CATEGORICAL:
            if self.others == 1:
                return (*self.categories, OTHER_BIN)
            numbers = range(1, self.others + 1)
            return (*self.categories, *(f"(other, part {n} of {self.others})" for n in numbers))
        bounds = ["-inf", *(f"{edge:.6g}" for edge in self.edges), "inf"]
        return tuple(f"({low}, {high}]" for low, high in pairwise(bounds))

    @property
    def distinct_count(self) -> int:
        """Number of distinct values: exact for up to 1,000 categories and for constants.

        Otherwise it is the estimate of the sketch, or the number of filled bins where that is more.
        """
        if self.known is not None:
            return len(self.known)
        if self.column.kind is FeatureKind.CATEGORICAL:
            return max(round(estimate_distinct_count(self.sketch)), MAX_KNOWN_CATEGORIES + 1)
        if self.minimum == self.maximum:
            return min(self.value_count, 1)
        filled = sum(count > 0 for count in self.counts)
        return min(max(round(estimate_distinct_count(self.sketch)), filled, 2), self.value_count)

    @property
    def deciles(self) -> tuple[float, ...]:
        """Numeric: the 10th to the 90th percentile, interpolated within the bins."""
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
    """Every column of the table that holds a value in this window, monitored or not."""
    duplicates: int = Field(default=0, ge=0)
    """Rows that repeat an earlier one in every column."""
    newest: AwareDatetime | None = None
    """Time of the newest row; None if there is no row."""
    untimed: int = Field(default=0, ge=0)
    """Rows whose time is missing or unreadable; 0 unless all rows of a table were profiled."""

    def find(self, name: str) -> ColumnProfile | None:
        """Return the column's profile, or None if there is none."""
        return next((each for each in self.columns if each.column.name == name), None)


def compute_shares(profile: ColumnProfile) -> FloatArray:
    """Return the share of the values in each bin, shape (bins,); all zero if there is no value."""
    counts: FloatArray = np.asarray(profile.counts, dtype="float64")
    shares: FloatArray = counts / max(counts.sum(), 1.0)
    return shares


def coarsen_bins(profile: ColumnProfile) -> ColumnProfile:
    """Return the column in the usual ten bins of the population stability index.

    Only `counts`, `edges`, `bins` and shares change. Categorical columns stay as they are.
    """
    if not profile.cuts:
        return profile
    bounds = [0, *(cut + 1 for cut in profile.cuts), len(profile.counts)]
    counts = tuple(sum(profile.counts[low:high]) for low, high in pairwise(bounds))
    edges = tuple(profile.edges[cut] for cut in profile.cuts)
    return profile.model_copy(update={"edges": edges, "cuts": (), "counts": counts})


def compute_quantile(profile: ColumnProfile, fraction: float) -> float:
    """Return the value below which this share of a numeric column lies; NaN if it is empty.

    Values are taken to lie evenly within a bin.
    """
    if profile.minimum is None or profile.maximum is None:
        return math.nan
    below = np.concatenate([[0.0], np.cumsum(profile.counts)])
    ends = np.clip(
        [profile.minimum, *profile.edges, profile.maximum], profile.minimum, profile.maximum
    )
    rank = fraction * below[-1]
    bin_index = min(max(int(np.searchsorted(below, rank, side="left")) - 1, 0), len(ends) - 2)
    inside = (rank - below[bin_index]) / max(below[bin_index + 1] - below[bin_index], 1.0)
    return float(ends[bin_index] + inside * (ends[bin_index + 1] - ends[bin_index]))
