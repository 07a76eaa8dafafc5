"""Chooses the windows that a table's span of time is best divided into, for a first configuration.

A window is a stretch that people know, long enough to hold rows to measure on, and short enough
that several follow the reference. Whole weeks come first: they hold every hour and weekday alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from trimtab.detection.profiles.arrays import IntArray

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK, _TWO_MONTHS = 7 * _DAY, 60 * _DAY
_LADDER: Final = (
    _WEEK, 2 * _WEEK, 4 * _WEEK, _DAY, 91 * _DAY, 365 * _DAY,
    12 * _HOUR, 6 * _HOUR, 3 * _HOUR, _HOUR, 30 * _MINUTE, 10 * _MINUTE, 5 * _MINUTE, _MINUTE,
)  # fmt: skip
"""The most useful first."""
_STAGES: Final = (
    (8, 30, 200), (8, 60, 200), (8, 60, 80), (5, 60, 80), (8, 400, 30), (3, 400, 30), (2, 400, 10),
)  # fmt: skip
"""Fewest windows, most windows and fewest rows in one: from what is good to what is possible."""
_CALENDAR: Final = (
    ("month", timedelta(hours=730, minutes=30), 27 * _DAY, 32 * _DAY),
    ("quarter", timedelta(days=91, hours=7, minutes=30), 89 * _DAY, 93 * _DAY),
    ("year", 365 * _DAY, 364 * _DAY, 367 * _DAY),
)
"""Periods of uneven length: their mean, their shortest and their longest."""
_LATE = 0.91
"""Where in its window such a period's date lies: months and years of any length stay in theirs."""
_COVERED = 0.9
"""Share of the last window that rows must reach into for it to count, as in a replay."""
_USUALLY = 0.3
"""Share of the windows that may hold fewer rows, such as weekends."""
_STRAY = 0.001
"""Share of the rows that may lie apart from all others without counting as the span."""
_APART = 0.25
"""How far apart: in lengths of the span of the others."""
_REFERENCE = 0.3
_MOSTLY = 0.7
_AFTER_REFERENCE = 6


@dataclass(frozen=True)
class Windows:
    """How to divide a span of time."""

    window: timedelta
    start: datetime | None
    """Where the first window begins; None for midnight of the first row's day."""
    counts: tuple[int, ...]
    """Rows in each window from the start."""
    reference: int
    """How many windows the first champion is trained on."""
    stray_before: int
    """Rows long before all others, in no window."""
    stray_after: int
    """Rows long after all others, counted in no window."""
    period: str
    """ "month", "quarter" or "year" where rows are dated no finer; "" otherwise."""

    @property
    def typical_rows(self) -> int:
        """Rows in a window: the median."""
        return int(np.median(self.counts))


def choose_windows(times: pd.Series) -> Windows:
    """The windows for these instants; raises ValueError where there are too few instants."""
    instants = np.sort(times.dropna().dt.as_unit("us").astype("int64").to_numpy())
    body = _body(instants) if len(instants) else instants
    if not len(body) or body[0] == body[-1]:
        msg = f"all rows are of {_datetime(body[0])}" if len(body) else "no row has a time"
        raise ValueError(msg)
    period, ladder = _ladder(body)
    window = _best(body, ladder, coarse=bool(period))
    begin = _begin(body, window, coarse=bool(period))
    counts = _counts(body, begin, window)
    reference = max(_reference(len(counts), window), _told_apart(body, begin, window))
    if reference >= len(counts):
        msg = f"the rows are of only {len(np.unique(body))} different times"
        raise ValueError(msg)
    usual = int(instants[0]) // _micros(_DAY) * _micros(_DAY)
    return Windows(
        window=window,
        start=None if begin == usual else _datetime(begin),
        counts=tuple(int(count) for count in counts),
        reference=reference,
        stray_before=int((instants < body[0]).sum()),
        stray_after=int((instants > body[-1]).sum()),
        period=period,
    )


def _body(instants: IntArray) -> IntArray:
    """All instants but a few that lie apart from the others, such as 1970-01-01."""
    skip = int(len(instants) * _STRAY)
    low, high = int(instants[skip]), int(instants[-1 - skip])
    reach = int(_APART * (high - low))
    return instants[(instants >= low - reach) & (instants <= high + reach)]


def _ladder(body: IntArray) -> tuple[str, tuple[timedelta, ...]]:
    """The lengths to try: for rows dated by month, quarter or year only multiples of these."""
    steps = np.diff(np.unique(body))
    for period, mean, shortest, longest in _CALENDAR:
        if steps.min() >= _micros(shortest) and np.quantile(steps, 0.7) <= _micros(longest):
            return period, tuple(mean * several for several in (1, 2, 3, 4, 6, 12))
    return "", _LADDER


def _best(body: IntArray, ladder: tuple[timedelta, ...], *, coarse: bool) -> timedelta:
    span = int(body[-1] - body[0]) + 1
    for fewest, most, rows in _STAGES:
        for window in ladder:
            if not fewest - 2 <= span / _micros(window) <= most:
                continue
            counts = _counts(body, _begin(body, window, coarse=coarse), window)
            if len(counts) >= fewest and np.quantile(counts, _USUALLY, method="lower") >= rows:
                return window
    return timedelta(microseconds=-(-span // 8))


def _begin(body: IntArray, window: timedelta, *, coarse: bool) -> int:
    """Midnight of the first row's day; for shorter windows the last full one."""
    if coarse:
        last = int(body[-1]) - int(_LATE * _micros(window))
        begin = last - max(0, -(-(last - int(body[0])) // _micros(window))) * _micros(window)
        return begin if window < _TWO_MONTHS else begin // _micros(_DAY) * _micros(_DAY)
    grid = _micros(min(window, _DAY))
    return int(body[0]) // grid * grid


def _counts(body: IntArray, begin: int, window: timedelta) -> IntArray:
    """Rows in each window that the rows reach to the end of, or nearly."""
    length = _micros(window)
    whole = whole_windows((int(body[-1]) - begin) / length, step=_step(body) / length)
    return np.bincount((body - begin) // _micros(window), minlength=whole)[:whole]


def whole_windows(reached: float, *, step: float) -> int:
    """How many windows count where the last row lies at `reached` and stands for `step`."""
    return int(reached) + (reached % 1 + step >= _COVERED)


def usual_step(times: pd.Series) -> timedelta:
    """From one time to the next, in the median: the last row stands for as long."""
    instants = np.unique(times.dropna().dt.as_unit("us").astype("int64").to_numpy())
    return timedelta(microseconds=_step(instants))


def _step(instants: IntArray) -> int:
    steps = np.diff(np.unique(instants))
    return int(np.median(steps)) if len(steps) else 0


def _reference(windows: int, window: timedelta) -> int:
    """Three in ten, and a whole week or day where windows are shorter; six are left if can be."""
    cycles = [-(-cycle // window) for cycle in (_WEEK, _DAY)]
    whole = next((cycle for cycle in cycles if cycle <= _MOSTLY * windows), 1)
    left = max(windows - _AFTER_REFERENCE, windows // 3)
    return max(1, min(max(round(_REFERENCE * windows), whole), left))


def _told_apart(body: IntArray, begin: int, window: timedelta) -> int:
    """Windows until rows differ in time, so that some can be held out."""
    later = body[body > body[0]]
    return int((later[0] - begin) // _micros(window)) + 1


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _datetime(micros: int) -> datetime:
    return pd.Timestamp(int(micros), unit="us", tz="UTC").to_pydatetime()
