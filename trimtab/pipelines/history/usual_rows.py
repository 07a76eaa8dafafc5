"""Counts the rows that the reference has at the time of the week or day of a window."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from trimtab.contracts.drift import Window
from trimtab.detection.calibration.seasonality import DAY, WEEK
from trimtab.pipelines.history.time_ranges import TimeRange

MIN_COUNTS_TO_MATCH: Final = 2
"""Windows at the same time of the week, or of the day, that make a sample of their own."""
MAX_COUNTS: Final = 60
"""Windows of the reference that are counted at most, the newest ones."""


def count_usual_rows(
    times: "pd.Series[Any]", reference: Window, time_range: TimeRange
) -> tuple[int, ...]:
    """Return the rows of the reference's windows that are like the window of that time range.

    `times` are those of the reference's rows. The windows are as long, and begin at the same time
    of the week; if fewer than two do, at the same time of the day; else one after the other.
    """
    length = time_range.end - time_range.start
    ordered = np.sort(times.to_numpy(dtype="datetime64[us]"))
    for step in (WEEK, DAY, length):
        starts = list(_list_starts(reference, time_range, max(step, length // step * step)))
        if len(starts) >= MIN_COUNTS_TO_MATCH:
            return tuple(_count_rows(ordered, start, start + length) for start in starts)
    return ()


def _list_starts(reference: Window, time_range: TimeRange, step: timedelta) -> Iterator[datetime]:
    """Yield the starts of windows inside the reference, whole steps before or after this one."""
    length = time_range.end - time_range.start
    ahead = (reference.end - length - time_range.start) // step
    start = time_range.start + ahead * step
    for _ in range(MAX_COUNTS):
        if start < reference.start:
            return
        if start >= time_range.end or start + length <= time_range.start:  # not the window itself
            yield start
        start -= step


def _count_rows(ordered: "np.ndarray[Any, Any]", start: datetime, end: datetime) -> int:
    bounds = [np.datetime64(each.replace(tzinfo=None), "us") for each in _to_utc(start, end)]
    first, last = np.searchsorted(ordered, bounds)
    return int(last - first)


def _to_utc(*times: datetime) -> list[datetime]:
    return [pd.Timestamp(each).tz_convert("UTC").to_pydatetime() for each in times]
