"""What is stored beside a reference profile: calibrated thresholds, and its strata by hour."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
from pydantic import JsonValue

from trimtab.contracts.fitted import CALIBRATION_FILE, SEASONAL_PROFILES_FILE, ServedModel
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.contracts.ports import Refused
from trimtab.detection.calibration.seasonality import Rhythm, Strata, rhythm_of, stratify
from trimtab.detection.calibration.thresholds import YEAR, Calibration, Plan, calibrate
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.rows import Table
from trimtab.pipelines.history.time_ranges import Span

MOST_BLOCKS: Final = 1500
"""The newest of the reference's: two months of hours."""


def calibrate_reference(
    rows: Table, spec: ModelSpec, *, predictions: "pd.Series[Any]", profile: WindowProfile
) -> dict[str, dict[str, JsonValue]]:
    """File name to content, for the version whose reference has these rows and this profile."""
    rhythm = rhythm_of(spec.window, profile.window)
    blocks = list(_blocks(rows, spec, rhythm, predictions=predictions, profile=profile))
    kept = {CALIBRATION_FILE: calibrate(blocks, plan_of(spec, rhythm)).model_dump(mode="json")}
    if spec.reference is ReferencePeriod.TRAINING and (strata := stratify(blocks, rhythm)):
        kept[SEASONAL_PROFILES_FILE] = strata.model_dump(mode="json", exclude_defaults=True)
    return kept


def plan_of(spec: ModelSpec, rhythm: Rhythm) -> Plan:
    """How often the model is looked at and may alarm, and what with."""
    lags = {
        ReferencePeriod.TRAINING: 0,
        ReferencePeriod.PREVIOUS: rhythm.window,
        ReferencePeriod.SEASON: max(round(spec.season / rhythm.block), rhythm.window),
    }
    every = spec.monitored_every or spec.window
    cooldown = spec.announcement_cooldown or every
    return Plan(
        window=rhythm.window,
        season=rhythm.season,
        matched=rhythm.matched and spec.reference is ReferencePeriod.TRAINING,
        lag=lags[spec.reference],
        windows_per_year=YEAR / max(spec.window, every),
        looks=max(spec.window / every, 1.0),
        repeats=spec.window / cooldown,
        false_alarms_per_year=spec.false_alarms_per_year,
        minimum_rows=spec.minimum_rows,
    )


def calibration_of(version: ServedModel) -> Calibration | None:
    """What was calibrated for the version; None where nothing was, as for versions of old."""
    try:
        return Calibration.model_validate(version.artifact(CALIBRATION_FILE))
    except Refused:
        return None


def strata_of(version: ServedModel) -> Strata | None:
    """Its reference by hour or weekday; None where windows need none."""
    try:
        return Strata.model_validate(version.artifact(SEASONAL_PROFILES_FILE))
    except Refused:
        return None


def at_the_same_hours(
    reference: Table, rows: Table, spec: ModelSpec, strata: Strata | None
) -> Table:
    """The reference's rows of the hours or weekdays of a window's rows; all where all are alike."""
    if strata is None or spec.timestamp not in reference:
        return reference
    inside = _phases(rows[spec.timestamp], strata.rhythm).unique()
    return reference[_phases(reference[spec.timestamp], strata.rhythm).isin(inside)]


def _phases(times: "pd.Series[Any]", rhythm: Rhythm) -> "pd.Series[Any]":
    return (times - pd.Timestamp(rhythm.origin)) // pd.Timedelta(rhythm.block) % rhythm.season


def _blocks(
    rows: Table,
    spec: ModelSpec,
    rhythm: Rhythm,
    *,
    predictions: "pd.Series[Any]",
    profile: WindowProfile,
) -> Iterator[WindowProfile]:
    """The profiles of the reference's whole blocks, oldest first, over its own bins."""
    whole = (profile.window.end - profile.window.start) // rhythm.block
    order = rows[spec.timestamp].argsort(kind="stable").to_numpy()
    ordered, foretold = rows.iloc[order], predictions.iloc[order]
    times = ordered[spec.timestamp]
    for place in range(max(whole - MOST_BLOCKS, 0), whole):
        start = rhythm.origin + place * rhythm.block
        span = Span(start, start + rhythm.block)
        inside = slice(*(int(times.searchsorted(pd.Timestamp(when))) for when in span))
        yield profile_rows(
            ordered.iloc[inside],
            spec,
            span=span,
            predictions=foretold.iloc[inside],
            like=profile,
        )
