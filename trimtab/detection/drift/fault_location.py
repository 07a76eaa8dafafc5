"""Finds where the affected rows of a window lie: on some of its days, or in one category.

A fault on whole days with other days that are normal is an outage; one in a category is a fault of
one source among several.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.detection.drift.row_table import RowTable, WindowPeriods, list_category_columns
from trimtab.detection.profiles.arrays import BoolArray

MIN_SHARE_INSIDE: Final = 0.7
"""Share of the rows of a segment that are affected, at least."""
MAX_SHARE_OUTSIDE: Final = 0.1
"""Share of the other rows that are affected, at most."""
MIN_ROWS_OF_SEGMENT: Final = 20
"""Rows of a category, at least."""
MAX_CATEGORY_COLUMNS: Final = 8
"""Categorical features that are looked at, those of most categories first."""
MAX_CATEGORIES: Final = 5
"""Categories of each that are looked at, the most frequent first."""


class Location(NamedTuple):
    """Where the affected rows lie."""

    segment: str
    """Such as "Region = north" or "2 of 7 days"; empty if they lie everywhere."""
    in_periods: bool = False
    """Whether they are the rows of whole periods."""
    lasts: bool = False
    """Whether these periods are the last ones of the window, so that the fault may last."""


class Segment(NamedTuple):
    """The rows of one category."""

    name: str
    """Such as "Region = north"."""
    column: str
    category: str
    inside: BoolArray
    """Whether each row of the table is of the category."""


def list_segments(table: RowTable) -> list[Segment]:
    """Return the commonest categories of the categorical features."""
    segments = []
    for column in list_category_columns(table)[:MAX_CATEGORY_COLUMNS]:
        values = table.series[column]
        counts = values.value_counts()
        for category in counts.index[counts >= MIN_ROWS_OF_SEGMENT][:MAX_CATEGORIES]:
            inside = (values == category).to_numpy(dtype=bool)
            if not inside.all():
                name = f"{column:.60} = {category!s:.60}"
                segments.append(Segment(name, column, str(category), inside))
    return segments


def locate_rows(
    affected: "pd.Series[bool]",
    table: RowTable,
    *,
    periods: WindowPeriods | None,
    segments: Sequence[Segment],
) -> Location:
    """Return where the affected rows lie; `affected` may have a part of the table's index."""
    for segment in segments:
        inside = pd.Series(segment.inside, index=table.times.index)[affected.index]
        if _are_apart(affected.to_numpy(dtype=bool), inside.to_numpy(dtype=bool)):
            return Location(segment.name)
    return _locate_in_periods(affected, table.times[affected.index], periods)


def format_periods(count: int, total: int, periods: WindowPeriods) -> str:
    """Return such as "2 of 7 days"."""
    return f"{count} of {total} {periods.name}"


def _are_apart(affected: BoolArray, inside: BoolArray) -> bool:
    """Return whether the rows inside are affected and the others are not."""
    if not inside.any() or inside.all():
        return False
    shares = affected[inside].mean(), affected[~inside].mean()
    return bool(shares[0] >= MIN_SHARE_INSIDE and shares[1] <= MAX_SHARE_OUTSIDE)


def _locate_in_periods(
    affected: "pd.Series[Any]", times: "pd.Series[Any]", periods: WindowPeriods | None
) -> Location:
    if periods is None:
        return Location("")
    places = periods.find(times)
    shares = pd.Series(affected.to_numpy(dtype="float64")).groupby(places).mean()
    bad = shares.index[shares >= MIN_SHARE_INSIDE / 2]
    inside = np.isin(places, bad)
    if not _are_apart(affected.to_numpy(dtype=bool), inside):
        return Location("")
    segment = format_periods(len(bad), len(shares), periods)
    return Location(segment, in_periods=True, lasts=bool(shares.index.max() in bad))
