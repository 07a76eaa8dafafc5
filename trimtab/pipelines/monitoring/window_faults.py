"""Finds the faults of a window's data, in its rows and in those of reference and window before.

The rows come from the history. Where it no longer holds the reference, the profiles must do.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

import pandas as pd

from trimtab.contracts.drift import FeatureRole, QualityFault, Window
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.drift.data_quality import find_window_faults, rank_faults
from trimtab.detection.drift.replayed_rows import find_replayed_rows
from trimtab.detection.drift.row_counts import find_silent_periods
from trimtab.detection.drift.row_faults import WindowRows, find_row_faults
from trimtab.detection.drift.row_table import (
    RowTable,
    WindowPeriods,
    build_row_table,
    cut_into_blocks,
    cut_into_periods,
)
from trimtab.detection.drift.usual_faults import ReferenceRows
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.pipelines.history.profiling import load_reference_profile
from trimtab.pipelines.history.remote import MAX_FETCHED_ROWS, HistoryTable, is_remote
from trimtab.pipelines.history.rows import get_feature_column, get_target_column, read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.history.usual_rows import (
    OrderedTimes,
    count_times_within,
    count_usual_rows,
    order_times,
)
from trimtab.pipelines.monitoring.reference import WindowReference
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement

_COUNTLESS_SHARE: Final = 0.9
"""Share of the rows fetched at most from which they may be a sample, which cannot be counted."""


class ReferenceCounts(NamedTuple):
    """The times of the reference's rows, by which the number of rows is judged."""

    times: OrderedTimes
    reference: Window

    def count_usual(self, time_range: TimeRange) -> tuple[int, ...]:
        """Return the rows of the reference's windows that are like this one."""
        return count_usual_rows(self.times, self.reference, time_range)


def find_faults(
    history: HistoryTable,
    rows: pd.DataFrame,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    measurement: WindowMeasurement,
) -> tuple[QualityFault, ...]:
    """Return the faults of the window's data, the corrupting ones first."""
    learned = _find_reference_window(spec, reference)
    reference_rows = _read_reference_rows(history, spec, request, learned)
    counts = _build_counts(history, spec, reference_rows, learned)
    usual = counts.count_usual(request.time_range) if counts else ()
    faults = find_window_faults(reference.profile, measurement.profile, spec=spec, usual_rows=usual)
    if rows.empty or reference_rows.empty:
        return faults
    window = _build_table(rows, spec, request.judged_at - spec.label_delay)
    table = _build_table(reference_rows, spec, None)
    blocks = cut_into_blocks(table, length=request.end - request.start)
    periods = cut_into_periods(request.start, request.end)
    found = find_row_faults(
        ReferenceRows(reference.profile, table, blocks),
        WindowRows(measurement.profile, window, periods),
        faults,
    )
    earlier = _read_window_before(history, spec, request)
    faulty = {fault.column for fault in found if fault.column}
    silence = _find_silence(rows[spec.timestamp], counts, periods)
    replayed = find_replayed_rows(window, earlier, blocks, excluded=faulty)
    if counts and periods and not silence:  # the end of the window is as silent as it always was
        found = tuple(fault for fault in found if fault.kind != "stale")
    return rank_faults([*found, *(fault for fault in (silence, replayed) if fault)])


def _find_reference_window(spec: ModelSpec, reference: WindowReference) -> Window:
    """Return the time of the training data, also if the window is compared with another one."""
    if spec.reference is ReferencePeriod.TRAINING:
        return reference.profile.window
    return load_reference_profile(reference.champion).window


def _read_reference_rows(
    history: HistoryTable, spec: ModelSpec, request: MonitoringRequest, learned: Window
) -> pd.DataFrame:
    """Return the reference's rows that are not the window's own."""
    rows = read_rows(history, spec, TimeRange(learned.start, learned.end))
    times = rows[spec.timestamp]
    return rows[(times < request.start) | (times >= request.end)].reset_index(drop=True)


def _read_window_before(
    history: HistoryTable, spec: ModelSpec, request: MonitoringRequest
) -> RowTable:
    before = TimeRange(request.start - (request.end - request.start), request.start)
    return _build_table(read_rows(history, spec, before).reset_index(drop=True), spec, None)


def _build_counts(
    history: HistoryTable, spec: ModelSpec, rows: pd.DataFrame, learned: Window
) -> ReferenceCounts | None:
    """Return what rows are counted by; None if the rows are none, or may be a sample only."""
    sampled = is_remote(history) and len(rows) >= _COUNTLESS_SHARE * MAX_FETCHED_ROWS
    return (
        None
        if rows.empty or sampled
        else ReferenceCounts(order_times(rows[spec.timestamp]), learned)
    )


def _find_silence(
    times: "pd.Series[Any]", counts: ReferenceCounts | None, periods: WindowPeriods | None
) -> QualityFault | None:
    if counts is None or periods is None:
        return None
    ordered = order_times(times)
    ranges = [TimeRange(start, start + periods.length) for start in periods.starts]
    rows = [count_times_within(ordered, *each) for each in ranges]
    usual = [counts.count_usual(each) for each in ranges]
    return find_silent_periods(rows, usual, name=periods.name)


def _build_table(rows: pd.DataFrame, spec: ModelSpec, labelled_until: datetime | None) -> RowTable:
    """Return the rows with features and target; a target from `labelled_until` on is not known."""
    times = rows[spec.timestamp]
    known = rows if labelled_until is None else rows[times < labelled_until]
    columns = [
        (
            column,
            get_target_column(known, spec)
            if column.role is FeatureRole.TARGET
            else get_feature_column(rows, column.name),
        )
        for column in list_monitored_columns(spec)
        if column.role is not FeatureRole.PREDICTION
    ]
    return build_row_table(columns, times)
