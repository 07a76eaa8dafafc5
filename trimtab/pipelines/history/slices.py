"""The rows of each slice of the newest labelled window, also where rows are dated too coarsely.

A window whose rows share a few instants, such as a year of survey answers dated by the year,
cannot be parted by time. Its rows are then dealt out in the order of the table: within one instant
no row is later than another, and a table may be sorted by anything, so that every slice takes rows
from all over it.
"""

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.model import ModelSpec, Slice
from trimtab.pipelines.history.remote import History, is_remote
from trimtab.pipelines.history.rows import Table, row_times, rows_between
from trimtab.pipelines.history.time_ranges import (
    Span,
    newest_labelled,
    newest_span,
    retraining_span,
    slice_span,
)

_GOLDEN: Final = (5**0.5 - 1) / 2
"""Multiples of it, modulo 1, lie evenly wherever one stops counting (Weyl, 1916)."""


class Learnable(NamedTuple):
    """A history and the spans of it that a challenger may learn from."""

    history: Table
    everything: Span
    newest: Span
    """The part of `everything` in the newest labelled window."""


def in_memory(history: History, spec: ModelSpec, as_of: datetime) -> Table:
    """The history; of a table in an engine the part that a challenger may learn from."""
    if not is_remote(history):
        return history
    return rows_between(history, spec, Span(retraining_span(spec, as_of).start, as_of))


def slice_rows(history: History, spec: ModelSpec, as_of: datetime, part: Slice) -> Table:
    """The rows of a slice, by time or, where that is too coarse, dealt out."""
    newest = rows_between(history, spec, newest_labelled(spec, as_of))
    if part is Slice.RECENT:
        return newest
    if not dated_coarsely(newest, spec):
        return rows_between(history, spec, slice_span(spec, as_of, part))
    return newest[_dealt(newest, spec) == part.value]


def learnable(history: Table, spec: ModelSpec, as_of: datetime) -> Learnable:
    """What a challenger may learn from: nothing that gate or verification judge it by."""
    newest = newest_labelled(spec, as_of)
    everything = retraining_span(spec, as_of)
    times = row_times(history, spec)
    inside = ((times >= newest.start) & (times < newest.end)).to_numpy()
    rows = rows_between(history, spec, newest)
    if not dated_coarsely(rows, spec):
        return Learnable(history, everything, newest_span(spec, as_of))
    kept = np.ones(len(history), dtype=bool)
    kept[inside] = (_dealt(rows, spec) == "").to_numpy()
    return Learnable(history.loc[kept], Span(everything.start, newest.end), newest)


def dated_coarsely(newest: Table, spec: ModelSpec) -> bool:
    """Whether the window's rows have so few different times that a slice may be left empty."""
    fewest = 1.0 / min(spec.gate_fraction, spec.verification_fraction)
    return 0 < newest[spec.timestamp].nunique() < fewest and len(newest) >= fewest


def _dealt(newest: Table, spec: ModelSpec) -> "pd.Series[str]":
    """The slice of each row; empty for what may be learnt from."""
    order = newest[spec.timestamp].argsort(kind="stable").argsort(kind="stable").to_numpy()
    place = (order + 1) * _GOLDEN % 1.0
    learnt = 1.0 - spec.gate_fraction - spec.verification_fraction
    gate = place < learnt + spec.gate_fraction
    held = np.where(gate, Slice.GATE.value, Slice.VERIFICATION.value)
    return pd.Series(np.where(place < learnt, "", held), index=newest.index, dtype="str")
