"""Finds what a window is compared with: a profile, its thresholds, and where it is stored.

The champion's training period is stored, by hour and weekday if windows need that. The window
before, and the one a season earlier, are profiled from the history when they are needed. That works
if an earlier run of the monitoring pipeline was skipped, or counted over other bins.
"""

from typing import NamedTuple

import pandas as pd

from trimtab.contracts.drift import Window
from trimtab.contracts.fitted import ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.calibration.seasonality import match_season
from trimtab.detection.calibration.thresholds import Calibration, scale_thresholds
from trimtab.detection.drift.column_drift import PsiThresholds
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import (
    build_reference_uri,
    load_reference_profile,
    profile_rows,
)
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.calibration import load_calibration, load_seasonal_profiles
from trimtab.pipelines.scoring.predictions import choose_predictor, predict_outputs


class WindowReference(NamedTuple):
    """The reference of one window."""

    champion: ServedModel
    profile: WindowProfile
    """The window is counted over the bins of this profile."""
    calibration: Calibration | None
    """None if nothing was calibrated: the configured floor applies alone."""
    uri: str | None
    """Where the profile is stored; None if it was made for this comparison."""

    def compute_thresholds(self, current: WindowProfile) -> PsiThresholds:
        """Return the threshold of each column for this window; the configured floor may be more."""
        return {} if self.calibration is None else scale_thresholds(self.calibration, current)

    @property
    def alpha(self) -> float | None:
        """False-positive rate of each detector in one window; None if there is no budget."""
        return None if self.calibration is None else self.calibration.alpha


def find_reference(
    spec: ModelSpec, models: ServedModels, *, history: HistoryTable, time_range: TimeRange
) -> WindowReference:
    """Return the reference that `spec.reference` asks for, for the window of that time range.

    It is the champion's training period if the earlier window has too few rows.
    """
    champion = models.champion()
    calibration = load_calibration(champion)
    earlier = find_earlier_range(spec, time_range)
    if earlier is not None:
        rows = read_rows(history, spec, earlier).reset_index(drop=True)
        if len(rows) >= spec.minimum_rows:
            profile = _profile_earlier_window(rows, spec, champion, earlier)
            return WindowReference(champion, profile, calibration, uri=None)
    window = Window(start=time_range.start, end=time_range.end, rows=0)
    training = load_reference_profile(champion)
    profile = match_season(training, load_seasonal_profiles(champion), window)
    return WindowReference(champion, profile, calibration, uri=build_reference_uri(champion))


def find_earlier_range(spec: ModelSpec, time_range: TimeRange) -> TimeRange | None:
    """Return the window before, or the one a season earlier; None if training is the reference."""
    if spec.reference is ReferencePeriod.TRAINING:
        return None
    length = time_range.end - time_range.start
    back = length if spec.reference is ReferencePeriod.PREVIOUS else max(spec.season, length)
    return TimeRange(time_range.start - back, time_range.end - back)


def _profile_earlier_window(
    rows: pd.DataFrame, spec: ModelSpec, champion: ServedModel, time_range: TimeRange
) -> WindowProfile:
    """Profile over bins of its own; labels that arrive after the window's end count as missing."""
    predictions = predict_outputs(choose_predictor(champion, rows, spec), rows, spec)
    return profile_rows(rows, spec, time_range=time_range, predictions=predictions)
