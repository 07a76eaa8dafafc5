"""Chooses the windows into which a table's time range is best divided, for a first configuration.

A window is a stretch that people know, long enough to hold rows to measure on, and short enough
that several follow the reference. Whole weeks come first: all of them hold the same hours and
weekdays. Times are arrays of microseconds since 1970 here, in ascending order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from trimtab.detection.onboarding.reference_length import choose_reference_windows
from trimtab.detection.profiles.arrays import IntArray

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK, _TWO_MONTHS = 7 * _DAY, 60 * _DAY
_MICROSECOND: Final = timedelta(microseconds=1)
_WINDOW_LENGTHS: Final = (
    _WEEK, 2 * _WEEK, 4 * _WEEK, _DAY, 91 * _DAY, 365 * _DAY,
    12 * _HOUR, 6 * _HOUR, 3 * _HOUR, _HOUR, 30 * _MINUTE, 10 * _MINUTE, 5 * _MINUTE, _MINUTE,
)  # fmt: skip
"""The most useful first."""
_DEMANDS: Final = (
    (8, 30, 200), (8, 60, 200), (8, 60, 80), (5, 60, 80), (8, 400, 30), (3, 400, 30), (2, 400, 10),
)  # fmt: skip
"""Fewest windows, most windows, and fewest rows in one: from what is good to what is possible."""
_CALENDAR_PERIODS: Final = (
    ("month", timedelta(hours=730, minutes=30), 27 * _DAY, 32 * _DAY),
    ("quarter", timedelta(days=91, hours=7, minutes=30), 89 * _DAY, 93 * _DAY),
    ("year", 365 * _DAY, 364 * _DAY, 367 * _DAY),
)
"""Periods of uneven length: name, mean, shortest and longest."""
_PERIOD_MULTIPLES: Final = (1, 2, 3, 4, 6, 12)
_MAX_PERIOD_STEP_QUANTILE: Final = 0.7
"""Share of the steps between dates that must be no longer than the period's longest."""
_DATE_POSITION: Final = 0.91
"""Where in its window a period's date lies: months and years of any length stay in their own."""
_MIN_COVERED_SHARE: Final = 0.9
"""Share of the last window that rows must cover for it to count, as in a replay."""
_SPARSE_WINDOW_SHARE: Final = 0.3
"""Share of the windows that may hold fewer rows, such as weekends."""
_MAX_OUTLIER_SHARE: Final = 0.001
"""Share of the rows at either end that may be outliers."""
_MIN_OUTLIER_DISTANCE: Final = 0.25
"""How far from all others an outlier lies, as a share of the time that these cover."""
_FALLBACK_WINDOWS: Final = 8


@dataclass(frozen=True)
class WindowChoice:
    """How a time range is divided."""

    window: timedelta
    start: datetime | None
    """Start of the first window; None for midnight of the first row's day."""
    counts: tuple[int, ...]
    """Rows in each window from the start."""
    reference: int
    """Number of windows that the first champion is trained on."""
    early_outliers: int
    """Rows much older than all others, in no window."""
    late_outliers: int
    """Rows much later than all others, counted in no window."""
    period: str
    """ "month", "quarter" or "year" if rows are dated no finer; "" otherwise."""

    @property
    def typical_rows(self) -> int:
        """Median of the rows in a window."""
        return int(np.median(self.counts))


def choose_windows(times: pd.Series) -> WindowChoice:
    """Return the windows for these times; missing ones are ignored.

    Raises:
        ValueError: There are too few distinct times.
    """
    all_times = _to_microseconds(times)
    body = _drop_outliers(all_times) if len(all_times) else all_times
    if not len(body):
        msg = "no row has a time"
        raise ValueError(msg)
    if body[0] == body[-1]:
        msg = f"all rows have the same time, {_to_datetime(body[0])}"
        raise ValueError(msg)
    period, lengths = _list_lengths(body)
    window = _choose_length(body, lengths, by_period=bool(period))
    start = _choose_start(body, window, by_period=bool(period))
    counts = _count_rows(body, start, window)
    enough_to_split = _count_windows_to_second_time(body, start, window)
    reference = max(choose_reference_windows(len(counts), window), enough_to_split)
    if reference >= len(counts):
        msg = f"the rows have only {len(np.unique(body))} distinct times"
        raise ValueError(msg)
    first_midnight = int(all_times[0]) // _in_microseconds(_DAY) * _in_microseconds(_DAY)
    return WindowChoice(
        window=window,
        start=None if start == first_midnight else _to_datetime(start),
        counts=tuple(int(count) for count in counts),
        reference=reference,
        early_outliers=int((all_times < body[0]).sum()),
        late_outliers=int((all_times > body[-1]).sum()),
        period=period,
    )


def count_whole_windows(reached: float, *, step: float) -> int:
    """Return how many windows count if the last row lies at `reached` and stands for `step`.

    Both are in windows since the start.
    """
    return int(reached) + (reached % 1 + step >= _MIN_COVERED_SHARE)


def compute_median_step(times: pd.Series) -> timedelta:
    """Return the median time from one time to the next: the last row stands for as long."""
    return timedelta(microseconds=_compute_median_step(np.unique(_to_microseconds(times))))


def _drop_outliers(times: IntArray) -> IntArray:
    """Return the times without a few that lie far from all others, such as 1970-01-01."""
    skipped = int(len(times) * _MAX_OUTLIER_SHARE)
    low, high = int(times[skipped]), int(times[-1 - skipped])
    reach = int(_MIN_OUTLIER_DISTANCE * (high - low))
    return times[(times >= low - reach) & (times <= high + reach)]


def _list_lengths(body: IntArray) -> tuple[str, tuple[timedelta, ...]]:
    """Return the lengths to try: multiples of the period if rows are dated by month or longer."""
    steps = np.diff(np.unique(body))
    typical = np.quantile(steps, _MAX_PERIOD_STEP_QUANTILE)
    for period, mean, shortest, longest in _CALENDAR_PERIODS:
        if steps.min() >= _in_microseconds(shortest) and typical <= _in_microseconds(longest):
            return period, tuple(mean * several for several in _PERIOD_MULTIPLES)
    return "", _WINDOW_LENGTHS


def _choose_length(body: IntArray, lengths: tuple[timedelta, ...], *, by_period: bool) -> timedelta:
    covered = int(body[-1] - body[0]) + 1
    for fewest, most, rows in _DEMANDS:
        for window in lengths:
            if not fewest - 2 <= covered / _in_microseconds(window) <= most:
                continue
            counts = _count_rows(body, _choose_start(body, window, by_period=by_period), window)
            if len(counts) < fewest:
                continue
            if np.quantile(counts, _SPARSE_WINDOW_SHARE, method="lower") >= rows:
                return window
    return timedelta(microseconds=-(-covered // _FALLBACK_WINDOWS))


def _choose_start(body: IntArray, window: timedelta, *, by_period: bool) -> int:
    """Return midnight of the first row's day, or for shorter windows the last full one.

    For rows dated by period, the last date lies at `_DATE_POSITION` of its window.
    """
    length = _in_microseconds(window)
    if by_period:
        last = int(body[-1]) - int(_DATE_POSITION * length)
        start = last - max(0, -(-(last - int(body[0])) // length)) * length
        day = _in_microseconds(_DAY)
        return start if window < _TWO_MONTHS else start // day * day
    grid = _in_microseconds(min(window, _DAY))
    return int(body[0]) // grid * grid


def _count_rows(body: IntArray, start: int, window: timedelta) -> IntArray:
    """Return the rows in each window that is covered to its end, or nearly."""
    length = _in_microseconds(window)
    reached, step = (int(body[-1]) - start) / length, _compute_median_step(body) / length
    whole = count_whole_windows(reached, step=step)
    return np.bincount((body - start) // length, minlength=whole)[:whole]


def _count_windows_to_second_time(body: IntArray, start: int, window: timedelta) -> int:
    """Return the windows until rows differ in time, so that some can be held out."""
    later = body[body > body[0]]
    return int((later[0] - start) // _in_microseconds(window)) + 1


def _compute_median_step(times: IntArray) -> int:
    steps = np.diff(np.unique(times))
    return int(np.median(steps)) if len(steps) else 0


def _to_microseconds(times: pd.Series) -> IntArray:
    return np.sort(times.dropna().dt.as_unit("us").astype("int64").to_numpy())


def _in_microseconds(span: timedelta) -> int:
    return span // _MICROSECOND


def _to_datetime(microseconds: int) -> datetime:
    return pd.Timestamp(int(microseconds), unit="us", tz="UTC").to_pydatetime()
