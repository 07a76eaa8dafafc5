"""The record of one window, small enough to travel: what later windows are compared with.

A profile made over the bins of an earlier one (`like`) can be compared with it, and counts over
the same bins add up.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AwareDatetime, Field

from contracts.base import Fraction, Name, Record
from contracts.drift import FeatureKind, Window
from detection.columns import Column, as_categories, as_numbers

BINS: Final = 10
"""Quantile bins of a numeric column: the usual ten of the population stability index."""
CATEGORIES: Final = 50
"""Most frequent categories that are counted by name; the rest is "other"."""
KNOWN_CATEGORIES: Final = 1000
"""Most categories remembered, to tell whether a later one has been seen before."""
OTHER: Final = "(other)"

Numbers = npt.NDArray[np.float64]


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
    categories: tuple[str, ...] = ()
    """Categorical: the names counted, most frequent first; one more bin counts the others."""
    counts: tuple[int, ...] = ()
    """Values per bin."""
    known: tuple[str, ...] | None = None
    """Every category seen; None where they are too many to keep."""
    unseen: int = Field(default=0, ge=0)
    """Values in categories that the profile it is compared with has never seen."""
    outside: int = Field(default=0, ge=0)
    """Values beyond the column's sensible bounds."""
    distinct: int = Field(default=0, ge=0)
    mean: float | None = None
    std: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    deciles: tuple[float, ...] = ()
    """Numeric: the 10th to 90th percentile."""

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
            return (*self.categories, OTHER)
        bounds = ["-inf", *(f"{edge:.6g}" for edge in self.edges), "inf"]
        return tuple(f"({low}, {high}]" for low, high in pairwise(bounds))


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

    def find(self, name: str) -> ColumnProfile | None:
        """The column's profile, or None."""
        return next((each for each in self.columns if each.column.name == name), None)


def profile_column(
    values: "pd.Series[Any]", column: Column, *, like: ColumnProfile | None = None
) -> ColumnProfile:
    """Count one column, over the bins of `like` or over bins of its own."""
    if column.kind is FeatureKind.NUMERIC:
        return _numeric(values, column, like)
    return _categorical(values, column, like)


def shares(profile: ColumnProfile) -> Numbers:
    """Share of the values in each bin; all zero where there are no values."""
    counts: Numbers = np.asarray(profile.counts, dtype="float64")
    share: Numbers = counts / max(counts.sum(), 1.0)
    return share


def _numeric(values: "pd.Series[Any]", column: Column, like: ColumnProfile | None) -> ColumnProfile:
    numbers = as_numbers(values)
    known: Numbers = np.asarray(numbers.dropna(), dtype="float64")
    edges = np.asarray(like.edges if like else _quantile_edges(known))
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return ColumnProfile(
        column=column,
        rows=len(values),
        nulls=int(numbers.isna().sum()),
        unreadable=int((numbers.isna() & values.notna()).sum()),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        outside=_outside(known, column),
        distinct=len(np.unique(known)),
        **_moments(known),
    )


def _moments(known: Numbers) -> dict[str, Any]:
    if not len(known):
        return {}
    return {
        "mean": float(known.mean()),
        "std": float(known.std()),
        "minimum": float(known.min()),
        "maximum": float(known.max()),
        "deciles": tuple(np.quantile(known, np.linspace(0.1, 0.9, 9)).tolist()),
    }


def _quantile_edges(known: Numbers) -> Numbers:
    if not len(known):
        return np.array([])
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    if edges[0] == known.min() == known.max():
        edges = np.array([np.nextafter(edges[0], -np.inf), edges[0]])
    return edges


def _outside(known: Numbers, column: Column) -> int:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    return int(((known < low) | (known > high)).sum())


def _categorical(
    values: "pd.Series[Any]", column: Column, like: ColumnProfile | None
) -> ColumnProfile:
    tally = as_categories(values).value_counts()
    names = like.categories if like else tuple(str(name) for name in tally.index[:CATEGORIES])
    counts = [int(tally.get(name, 0)) for name in names]
    total = int(tally.sum())
    seen = set(like.known) if like and like.known is not None else None
    return ColumnProfile(
        column=column,
        rows=len(values),
        nulls=len(values) - total,
        categories=names,
        counts=(*counts, total - sum(counts)),
        known=tuple(sorted(tally.index)) if len(tally) <= KNOWN_CATEGORIES else None,
        unseen=0 if seen is None else int(tally[~tally.index.isin(seen)].sum()),
        distinct=len(tally),
    )


def profile_window(
    frame: pd.DataFrame,
    columns: Sequence[tuple[Column, "pd.Series[Any]"]],
    *,
    model: str,
    window: Window,
    newest: AwareDatetime | None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Count a window: `frame` is the table's own rows, `columns` what is watched in them."""
    profiles = [
        profile_column(values, column, like=like.find(column.name) if like else None)
        for column, values in columns
    ]
    return WindowProfile(
        model=model,
        window=window,
        columns=tuple(profiles),
        filled=tuple(str(name) for name in frame.columns[frame.notna().any()]),
        duplicates=_duplicates(frame),
        newest=newest,
    )


def _duplicates(frame: pd.DataFrame) -> int:
    try:
        return int(frame.duplicated().sum())
    except TypeError:  # lists and the like, as Parquet can hold them
        return int(frame.astype("str").duplicated().sum())
