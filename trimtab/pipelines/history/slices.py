"""Selects the rows of each slice of the newest labelled window, also if rows are dated coarsely.

A window whose rows share a few instants, such as a year of survey answers dated by the year,
cannot be split by time. Its rows are then assigned to slices in the order of the table. Within one
instant no row is later than another, and a table may be sorted by anything, so every slice takes
rows from all over it.
"""

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.model import ModelSpec, Slice
from trimtab.pipelines.history.remote import HistoryTable, is_remote
from trimtab.pipelines.history.rows import read_row_times, read_rows
from trimtab.pipelines.history.time_ranges import (
    TimeRange,
    compute_newest_training_range,
    compute_retraining_range,
    compute_slice_range,
    find_newest_labelled_range,
)

_GOLDEN_RATIO: Final = (5**0.5 - 1) / 2
"""Its multiples, modulo 1, are evenly spread for any number of them (Weyl, 1916)."""


class TrainingHistory(NamedTuple):
    """A history and the time ranges of it that a challenger may learn from."""

    history: pd.DataFrame
    everything: TimeRange
    newest: TimeRange
    """The part of `everything` in the newest labelled window."""


def load_training_history(history: HistoryTable, spec: ModelSpec, as_of: datetime) -> pd.DataFrame:
    """Return the history; of a table in an engine, the rows that a challenger may learn from."""
    if not is_remote(history):
        return history
    start = compute_retraining_range(spec, as_of).start
    return read_rows(history, spec, TimeRange(start, as_of))


def read_slice_rows(
    history: HistoryTable, spec: ModelSpec, as_of: datetime, part: Slice
) -> pd.DataFrame:
    """Return the rows of a slice, split by time unless rows are dated too coarsely for it."""
    newest = read_rows(history, spec, find_newest_labelled_range(spec, as_of))
    if part is Slice.RECENT:
        return newest
    if not has_coarse_times(newest, spec):
        return read_rows(history, spec, compute_slice_range(spec, as_of, part))
    return newest[_assign_slices(newest, spec) == part.value]


def select_training_history(
    history: pd.DataFrame, spec: ModelSpec, as_of: datetime
) -> TrainingHistory:
    """Return what a challenger may learn from: no row that gate or verification judge it by."""
    newest = find_newest_labelled_range(spec, as_of)
    everything = compute_retraining_range(spec, as_of)
    times = read_row_times(history, spec)
    inside = ((times >= newest.start) & (times < newest.end)).to_numpy()
    rows = read_rows(history, spec, newest)
    if not has_coarse_times(rows, spec):
        newest_part = compute_newest_training_range(spec, as_of)
        return TrainingHistory(history, everything, newest_part)
    kept = np.ones(len(history), dtype=bool)
    kept[inside] = (_assign_slices(rows, spec) == "").to_numpy()
    whole = TimeRange(everything.start, newest.end)
    return TrainingHistory(history.loc[kept], whole, newest)


def has_coarse_times(newest: pd.DataFrame, spec: ModelSpec) -> bool:
    """Return whether the rows have so few different times that a slice could be left empty."""
    fewest = 1.0 / min(spec.gate_fraction, spec.verification_fraction)
    return 0 < newest[spec.timestamp].nunique() < fewest and len(newest) >= fewest


def _assign_slices(newest: pd.DataFrame, spec: ModelSpec) -> "pd.Series[str]":
    """Return the slice of each row; empty for rows that a challenger may learn from."""
    order = newest[spec.timestamp].argsort(kind="stable").argsort(kind="stable").to_numpy()
    position = (order + 1) * _GOLDEN_RATIO % 1.0
    learned = 1.0 - spec.gate_fraction - spec.verification_fraction
    gate = position < learned + spec.gate_fraction
    held_out = np.where(gate, Slice.GATE.value, Slice.VERIFICATION.value)
    return pd.Series(np.where(position < learned, "", held_out), index=newest.index, dtype="str")
