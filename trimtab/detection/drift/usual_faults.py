"""Drops faults that the reference's own blocks show too: what has always been so is no fault.

Rows of one day resemble each other, so that a test by rows finds every season unusual. A column
that was constant on some days of the reference, such as snow, may be so for a week.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import pandas as pd

from trimtab.contracts.drift import FaultKind, QualityFault
from trimtab.detection.drift.column_faults import (
    MAX_LOG_CONSTANT_PROBABILITY,
    find_column_faults,
)
from trimtab.detection.drift.proportion_tests import compute_log_fisher_probability
from trimtab.detection.drift.row_table import RowTable
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.window_profile import WindowProfile

USUAL_SHARE: Final = 0.7
"""Share of a fault's rows that a block of the reference must have for the fault to be usual."""
MIN_SUCH_DAYS: Final = 2
"""Days of the reference with a mean as extreme as the window's, for it to be no rarity."""
MIN_SUCH_SHARE: Final = 0.05
"""The share of such days."""
DAY_LENGTH: Final = timedelta(days=1)
_COMPARED_KINDS: Final[frozenset[FaultKind]] = frozenset(
    {"nulls", "range", "constant", "unit_change", "missing_column"}
)


class ReferenceRows(NamedTuple):
    """The reference of a window, with its rows."""

    profile: WindowProfile
    table: RowTable
    blocks: Sequence[RowTable]
    """The rows in blocks about as long as the window."""


def drop_usual_faults(
    faults: Iterable[QualityFault], reference: ReferenceRows, window: RowTable
) -> list[QualityFault]:
    """Return the faults of columns that no block of the reference shows, and all other faults."""
    return [
        fault
        for fault in faults
        if fault.kind not in _COMPARED_KINDS
        or fault.column not in reference.table.series
        or not _is_usual(fault, reference, window)
    ]


def _is_usual(fault: QualityFault, reference: ReferenceRows, window: RowTable) -> bool:
    name = fault.column or ""
    before = reference.profile.find(name)
    if before is None or not reference.table.series[name].notna().any():
        return False  # a history that lost the column shows nothing of what was usual
    if fault.kind == "constant":
        return _was_constant(reference.table, window, name)
    if fault.kind == "unit_change" and _had_such_means(reference.table, window, name):
        return True
    for block in reference.blocks:
        then = profile_column(block.series[name], before.column, like=before)
        found = find_column_faults(before, then)
        if any(
            each.kind == fault.kind and each.fraction >= USUAL_SHARE * fault.fraction
            for each in found
        ):
            return True
    return False


def _was_constant(reference: RowTable, window: RowTable, name: str) -> bool:
    """Return whether days with that value alone are so frequent that a window of them is chance."""
    values = window.series[name].dropna()
    if values.empty:
        return False
    length = min(DAY_LENGTH, window.times.iloc[-1] - window.times.iloc[0])
    length = max(length, timedelta(microseconds=1))
    days = _group_by_days(values, window.times, length).ngroups
    kept = reference.series[name].dropna()
    grouped = _group_by_days(kept, reference.times, length)
    same = grouped.first().eq(values.iloc[0]) & grouped.nunique().lt(2)
    alike = int(same.sum())
    log_probability = compute_log_fisher_probability(days, alike, len(same))
    return alike > 0 and log_probability >= MAX_LOG_CONSTANT_PROBABILITY


def _had_such_means(reference: RowTable, window: RowTable, name: str) -> bool:
    """Return whether means as low, or as high, were no rarity among the reference's days."""
    values = reference.series[name].dropna()
    means = _group_by_days(values, reference.times, DAY_LENGTH).mean()
    now, before = window.series[name].mean(), values.mean()
    as_far = means.le(now) if now < before else means.ge(now)
    return bool(as_far.sum() >= MIN_SUCH_DAYS and as_far.mean() >= MIN_SUCH_SHARE)


def _group_by_days(values: "pd.Series[Any]", times: "pd.Series[Any]", length: timedelta) -> Any:  # noqa: ANN401 - a group of pandas, which has no public type
    since = times[values.index] - pd.Timestamp(0, tz="UTC")
    return values.groupby(since // pd.Timedelta(length))
