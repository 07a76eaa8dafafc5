"""Rows in memory whose columns are cast, with the blocks of time and categories they fall into."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.arrays import AnyArray, FloatArray, IntArray
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.detection.profiles.columns import Column

MIN_REFERENCE_BLOCKS: Final = 4
"""Blocks that a reference is cut into at least; shorter ones than a window if it holds fewer."""
MAX_REFERENCE_BLOCKS: Final = 16
"""Blocks of a reference that are looked at, evenly spread over it."""
MAX_PERIODS: Final = 31
"""Periods that a window is cut into at most."""
PERIODS: Final = (
    ("hours", timedelta(hours=1)),
    ("days", timedelta(days=1)),
    ("weeks", timedelta(days=7)),
    ("months", timedelta(days=30)),
)
"""Lengths of the periods, the shortest first."""


class RowTable(NamedTuple):
    """Rows in the order of time."""

    columns: Mapping[str, Column]
    """The features and the target, by name."""
    series: "Mapping[str, pd.Series[Any]]"
    """Numbers as float64, categories as text, and NaN if missing; a target of known rows only."""
    times: "pd.Series[Any]"
    """Time of every row; series have the same index, or a part of it."""

    def get_numbers(self, name: str) -> FloatArray:
        """Return the known values of a numeric column, in the order of time."""
        return self.series[name].dropna().to_numpy(dtype="float64")

    def select(self, inside: AnyArray) -> "RowTable":
        """Return the rows for which `inside`, of the length of `times`, is true."""
        kept = self.times.index[inside]
        values = {
            name: series[series.index.isin(kept)]
            if len(series) < len(self.times)
            else series[inside]
            for name, series in self.series.items()
        }
        return RowTable(self.columns, values, self.times[inside])


class WindowPeriods(NamedTuple):
    """The periods that a window is cut into, such as its days."""

    name: str
    """Such as "days"."""
    starts: tuple[datetime, ...]
    """Start of each period."""
    length: timedelta

    def find(self, times: "pd.Series[Any]") -> IntArray:
        """Return the position of the period that holds each time."""
        places = (times - pd.Timestamp(self.starts[0])) // pd.Timedelta(self.length)
        return np.asarray(places, dtype="int64")


def build_row_table(
    columns: "Sequence[tuple[Column, pd.Series[Any]]]", times: "pd.Series[Any]"
) -> RowTable:
    """Return the rows in the order of time; predictions are left out.

    `columns` hold the values as they are in the table, with the index of `times` or a part of it.
    """
    ordered = times.sort_values(kind="stable")
    values = {}
    for column, raw in columns:
        numeric = column.kind is FeatureKind.NUMERIC
        cast = cast_to_numbers(raw) if numeric else cast_to_categories(raw)
        index = (
            ordered.index
            if len(cast) == len(ordered)
            else ordered.index[ordered.index.isin(cast.index)]
        )
        values[column.name] = cast.reindex(index)
    kept = {
        column.name: column for column, _ in columns if column.role is not FeatureRole.PREDICTION
    }
    return RowTable(kept, {name: values[name] for name in kept}, ordered)


def cut_into_blocks(table: RowTable, *, length: timedelta) -> list[RowTable]:
    """Return the rows in blocks of time as long as a window, or shorter if these are too few.

    Blocks without rows are left out.
    """
    if table.times.empty:
        return []
    start, end = table.times.iloc[0], table.times.iloc[-1]
    block = min(pd.Timedelta(length), (end - start) / MIN_REFERENCE_BLOCKS)
    block = max(block, pd.Timedelta(microseconds=1))
    back = np.asarray((end - table.times) // block, dtype="int64")
    whole = max(int((end - start) // block), 1)
    chosen = np.unique(np.linspace(0, whole - 1, min(whole, MAX_REFERENCE_BLOCKS)).astype("int64"))
    found = [back == index for index in chosen]
    return [table.select(inside) for inside in found if inside.any()]


def cut_into_periods(start: datetime, end: datetime) -> WindowPeriods | None:
    """Return the periods of a window: as short as may be; None if it holds fewer than two."""
    for name, length in PERIODS:
        count = round((end - start) / length)
        if 1 < count <= MAX_PERIODS:
            starts = tuple(start + index * length for index in range(count))
            return WindowPeriods(name, starts, length)
    return None


def list_numeric_columns(table: RowTable) -> list[str]:
    """Return the names of the numeric columns."""
    kinds = table.columns.items()
    return [name for name, column in kinds if column.kind is FeatureKind.NUMERIC]


def list_category_columns(table: RowTable) -> list[str]:
    """Return the names of the categorical features, those of most categories first."""
    names = [
        name
        for name, column in table.columns.items()
        if column.kind is FeatureKind.CATEGORICAL and column.role is FeatureRole.FEATURE
    ]
    return sorted(names, key=lambda name: -table.series[name].nunique())


def stack_numbers(blocks: Sequence[RowTable], name: str) -> FloatArray:
    """Return the known values of a numeric column in several blocks."""
    return np.concatenate([block.get_numbers(name) for block in blocks] or [np.empty(0)])
