"""Calibrates a reference: the thresholds and seasonal profiles stored beside its profile."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
from pydantic import JsonValue

from trimtab.contracts.fitted import CALIBRATION_FILE, SEASONAL_PROFILES_FILE, ServedModel
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.contracts.ports import Refused
from trimtab.detection.calibration.false_alarm_budget import YEAR, CalibrationPlan
from trimtab.detection.calibration.seasonality import (
    SeasonalPattern,
    SeasonalProfiles,
    build_seasonal_profiles,
    find_seasonal_pattern,
)
from trimtab.detection.calibration.thresholds import Calibration, calibrate_thresholds
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import PredictedRows, profile_rows
from trimtab.pipelines.history.time_ranges import TimeRange

MAX_BLOCKS: Final = 1500
"""Blocks of the reference that are profiled at most, the newest ones: two months of hours."""


def calibrate_reference(
    rows: pd.DataFrame, spec: ModelSpec, *, predictions: "pd.Series[Any]", profile: WindowProfile
) -> dict[str, dict[str, JsonValue]]:
    """Return the artifacts, content by file name, for a reference with these rows and profile."""
    pattern = find_seasonal_pattern(spec.window, profile.window)
    predicted = PredictedRows(rows, predictions)
    blocks = list(_profile_blocks(predicted, spec, pattern, profile=profile))
    calibration = calibrate_thresholds(blocks, build_calibration_plan(spec, pattern))
    artifacts = {CALIBRATION_FILE: calibration.model_dump(mode="json")}
    if spec.reference is ReferencePeriod.TRAINING:
        seasonal = build_seasonal_profiles(blocks, pattern)
        if seasonal:
            artifacts[SEASONAL_PROFILES_FILE] = seasonal.model_dump(
                mode="json", exclude_defaults=True
            )
    return artifacts


def build_calibration_plan(spec: ModelSpec, pattern: SeasonalPattern) -> CalibrationPlan:
    """Return how often the model is checked and may raise an alarm, and with which blocks."""
    lags = {
        ReferencePeriod.TRAINING: 0,
        ReferencePeriod.PREVIOUS: pattern.window,
        ReferencePeriod.SEASON: max(round(spec.season / pattern.block), pattern.window),
    }
    every = spec.monitored_every or spec.window
    cooldown = spec.announcement_cooldown or every
    return CalibrationPlan(
        window=pattern.window,
        season=pattern.season,
        matched=pattern.matched and spec.reference is ReferencePeriod.TRAINING,
        lag=lags[spec.reference],
        windows_per_year=YEAR / max(spec.window, every),
        checks_per_window=max(spec.window / every, 1.0),
        repeats_per_window=spec.window / cooldown,
        false_alarms_per_year=spec.false_alarms_per_year,
        minimum_rows=spec.minimum_rows,
    )


def load_calibration(version: ServedModel) -> Calibration | None:
    """Return the version's calibration; None if there is none, as for versions of old."""
    try:
        return Calibration.model_validate(version.artifact(CALIBRATION_FILE))
    except Refused:
        return None


def load_seasonal_profiles(version: ServedModel) -> SeasonalProfiles | None:
    """Return the version's reference by hour or weekday; None if windows need none."""
    try:
        return SeasonalProfiles.model_validate(version.artifact(SEASONAL_PROFILES_FILE))
    except Refused:
        return None


def select_matching_phases(
    reference: pd.DataFrame,
    rows: pd.DataFrame,
    spec: ModelSpec,
    seasonal: SeasonalProfiles | None,
) -> pd.DataFrame:
    """Return the reference's rows at the hours or weekdays of a window's rows.

    All rows are returned if windows need no matching.
    """
    if seasonal is None or spec.timestamp not in reference:
        return reference
    inside = _find_phases(rows[spec.timestamp], seasonal.pattern).unique()
    return reference[_find_phases(reference[spec.timestamp], seasonal.pattern).isin(inside)]


def _find_phases(times: "pd.Series[Any]", pattern: SeasonalPattern) -> "pd.Series[Any]":
    blocks = (times - pd.Timestamp(pattern.origin)) // pd.Timedelta(pattern.block)
    return blocks % pattern.season


def _profile_blocks(
    predicted: PredictedRows,
    spec: ModelSpec,
    pattern: SeasonalPattern,
    *,
    profile: WindowProfile,
) -> Iterator[WindowProfile]:
    """Yield the profiles of the reference's whole blocks, oldest first, over its own bins."""
    whole = (profile.window.end - profile.window.start) // pattern.block
    order = predicted.rows[spec.timestamp].argsort(kind="stable").to_numpy()
    rows, predictions = predicted.rows.iloc[order], predicted.predictions.iloc[order]
    times = rows[spec.timestamp]
    for index in range(max(whole - MAX_BLOCKS, 0), whole):
        start = pattern.origin + index * pattern.block
        block = TimeRange(start, start + pattern.block)
        inside = slice(*(int(times.searchsorted(pd.Timestamp(when))) for when in block))
        yield profile_rows(
            rows.iloc[inside],
            spec,
            time_range=block,
            predictions=predictions.iloc[inside],
            like=profile,
        )
