"""Counts the rows that the reference has at the time of the week or day of a window."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from trimtab.contracts.drift import Window
from trimtab.detection.calibration.seasonality import DAY, WEEK
from trimtab.pipelines.history.time_ranges import TimeRange

OrderedTimes: TypeAlias = npt.NDArray[np.datetime64]
"""Times in UTC without a zone, sorted, shape (rows,)."""
MIN_COUNTS_TO_MATCH: Final = 3
"""Windows at the same time of the week, or of the day, that make a sample of their own."""
MAX_COUNTS: Final = 60
"""Windows of the reference that are counted at most, the newest ones."""


def count_usual_rows(
    times: OrderedTimes, reference: Window, time_range: TimeRange
) -> tuple[int, ...]:
    """Return the rows of the reference's windows that are like the window of that time range.

    `times` are those of the reference's rows. The windows are as long, and begin at the same time
    of the week; if fewer than three do, at the same time of the day; else one after the other.
    """
    length = time_range.end - time_range.start
    for step in (WEEK, DAY, length):
        starts = list(_list_starts(reference, time_range, max(step, length // step * step)))
        if len(starts) >= MIN_COUNTS_TO_MATCH:
            return tuple(count_times_within(times, start, start + length) for start in starts)
    return ()


def order_times(times: "pd.Series[Any]") -> OrderedTimes:
    """Return times in UTC as a sorted array."""
    return np.sort(times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]"))


def count_times_within(times: OrderedTimes, start: datetime, end: datetime) -> int:
    """Return the number of times from `start` to before `end`."""
    bounds = [
        np.datetime64(each.astimezone(UTC).replace(tzinfo=None), "us") for each in (start, end)
    ]
    first, last = np.searchsorted(times, np.array(bounds))
    return int(last - first)


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
