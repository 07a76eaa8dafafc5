"""Chooses what a challenger learns from: sound windows, and only the newest if that is better."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import pandas as pd

from trimtab.contracts.drift import CRITICAL_LOSS, FaultKind, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.drift.data_quality import find_window_faults
from trimtab.detection.drift.fault_gravity import weigh_faults
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.rows import keep_valid_targets, read_row_times, read_rows
from trimtab.pipelines.history.slices import TrainingHistory
from trimtab.pipelines.history.time_ranges import (
    TimeRange,
    compute_retraining_range,
    list_earlier_windows,
)
from trimtab.pipelines.learning.model_fitting import LAST_QUARTER, MIN_TRAINING_ROWS
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import score_model

_UNKNOWN: Final[Mapping[str, float]] = {}
"""Importance that was not measured: every corrupting fault counts."""
_MISSING_ROWS: Final[frozenset[FaultKind]] = frozenset({"no_rows", "few_rows"})
"""Faults in which rows are missing: those that came teach nothing wrong."""


def find_corrupt_windows(
    history: pd.DataFrame,
    spec: ModelSpec,
    as_of: datetime,
    *,
    reference: WindowProfile,
    importance: Mapping[str, float] = _UNKNOWN,
) -> list[TimeRange]:
    """Return the corrupt windows before the one that ends at `as_of`.

    That last one is the incident's own: see `refuse_corrupt_window`. `importance` is the loss of
    the champion's metric without each feature: faults that can cost nothing corrupt nothing.
    """
    return [
        window
        for window in list_earlier_windows(spec, as_of)
        if _find_corrupting_faults(history, spec, window, reference, importance)
    ]


def refuse_corrupt_window(
    history: pd.DataFrame,
    spec: ModelSpec,
    as_of: datetime,
    *,
    reference: WindowProfile,
    importance: Mapping[str, float] = _UNKNOWN,
) -> None:
    """Raise `Refused` if the incident's own window is corrupt and would be learned from.

    The event may not say so, because other detectors do not check the quality of the data.
    `importance` as for `find_corrupt_windows`.
    """
    own = TimeRange(as_of - spec.window, as_of)
    if compute_retraining_range(spec, as_of).end <= own.start:
        return
    faults = _find_corrupting_faults(history, spec, own, reference, importance)
    if faults:
        details = "; ".join(
            f"{fault.kind} {fault.column or ''}: {fault.detail}" for fault in faults
        )
        msg = (
            f"the window from {own.start:%Y-%m-%d %H:%M} to {own.end:%Y-%m-%d %H:%M} is corrupt"
            f" ({details:.500}): no model learns from it unless a person decides so; fix the data"
            f" of {spec.dataset!r} at its source"
        )
        raise Refused(msg)


def _find_corrupting_faults(
    history: pd.DataFrame,
    spec: ModelSpec,
    window: TimeRange,
    reference: WindowProfile,
    importance: Mapping[str, float],
) -> list[QualityFault]:
    rows, unknown = read_rows(history, spec, window), pd.Series(dtype="object")
    profile = profile_rows(rows, spec, time_range=window, predictions=unknown, like=reference)
    found = weigh_faults(
        find_window_faults(reference, profile, spec=spec),
        importance,
        tolerance=spec.tolerance,
        loss=None,
    )
    return [fault for fault in found if fault.corrupt and fault.kind not in _MISSING_ROWS]


def exclude_ranges(history: pd.DataFrame, spec: ModelSpec, ranges: list[TimeRange]) -> pd.DataFrame:
    """Return the history without the rows in the time ranges."""
    times = read_row_times(history, spec)
    inside = pd.Series(data=False, index=history.index)
    for time_range in ranges:
        inside |= (times >= time_range.start) & (times < time_range.end)
    return history.loc[~inside]


def choose_training_range(
    training: TrainingHistory, spec: ModelSpec, *, standard: float | None, seed: int
) -> TimeRange:
    """Return everything that may be learned from, or only the newest window after abrupt change.

    After an abrupt change older windows teach what is wrong now. Otherwise they are useful, because
    a part of one window does not hold every weekday. Models are tried on the last quarter of the
    newest rows before the gate. The change is abrupt if a model of everything is critically below
    the `standard` that the champion must keep, and a model of the newest window alone is better.
    """
    history, everything, newest = training
    recent = keep_valid_targets(read_rows(history, spec, newest), spec)
    if len(recent) < 2 * MIN_TRAINING_ROWS:
        return everything
    times = recent[spec.timestamp].sort_values()
    cut = times.iloc[int(LAST_QUARTER * len(recent))].to_pydatetime()
    judged = recent[recent[spec.timestamp] >= cut]

    def try_range(time_range: TimeRange) -> float | None:
        before_cut = TimeRange(time_range.start, cut)
        return _measure_trained_on(history, spec, before_cut, judged, seed=seed)

    long = try_range(everything)
    if standard is None or long is None or long >= standard - CRITICAL_LOSS * spec.tolerance:
        return everything
    short = try_range(newest)
    return newest if short is not None and short > long + spec.tolerance else everything


def _measure_trained_on(
    history: pd.DataFrame,
    spec: ModelSpec,
    time_range: TimeRange,
    judged: pd.DataFrame,
    *,
    seed: int,
) -> float | None:
    """Return the metric on `judged` of a model trained on the time range, or None if it fails."""
    rows = keep_valid_targets(read_rows(history, spec, time_range), spec)
    try:
        return score_model(fit_estimator(rows, spec, seed=seed), judged, spec).value
    except (Refused, ValueError):
        return None  # too few rows, or only one class
