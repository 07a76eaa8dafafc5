"""Chooses how closely a model is monitored: segments, season, false-alarm budget, cooldown."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.contracts.model import ModelSpec
from trimtab.detection.calibration.seasonality import MIN_BLOCKS, find_seasonal_pattern
from trimtab.detection.profiles.casting import cast_to_categories

MAX_SEGMENT_CATEGORIES: Final = 20
"""Most categories of a column whose segments get a metric each."""
_MIN_SEGMENT_ROWS: Final = 20
"""Rows of a category in a typical window; with fewer its metric says nothing."""
_MAX_SEGMENT_COLUMNS: Final = 3
_ENOUGH_BLOCKS: Final = 42
_MANY_BLOCKS: Final = 84
_ANY_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_WEEK, _DAY, _YEAR = timedelta(days=7), timedelta(days=1), timedelta(days=365)
_FALSE_ALARM_SHARE: Final = 0.1
"""Share of the windows of a year that may be false alarms."""
_MAX_FALSE_ALARMS_PER_YEAR: Final = 12.0


def choose_segments(rows: pd.DataFrame, spec: ModelSpec, *, typical_rows: int) -> tuple[str, ...]:
    """Return categorical features of few categories, each with enough rows in a typical window."""
    fitting = []
    for feature in spec.features:
        if feature.kind is not FeatureKind.CATEGORICAL:
            continue
        shares = cast_to_categories(rows[feature.name]).value_counts(normalize=True)
        fewest_rows = typical_rows * shares.min() if len(shares) else 0
        if 1 < len(shares) <= MAX_SEGMENT_CATEGORIES and fewest_rows >= _MIN_SEGMENT_ROWS:
            fitting.append((len(shares), feature.name))
    fitting.sort(key=lambda each: each[0])
    return tuple(name for _, name in fitting[:_MAX_SEGMENT_COLUMNS])


def choose_season(window: timedelta) -> timedelta:
    """Return a week in whole windows, or about a year for windows of a week and more."""
    cycle = _WEEK if window < _WEEK else _YEAR
    return max(1, round(cycle / window)) * window


def compute_windows_per_year(window: timedelta) -> float:
    """Return how many windows of this length a year has."""
    return _YEAR / window


def choose_false_alarm_budget(window: timedelta) -> float:
    """Return false alarms per year, with one digit: one in ten windows, but at most one a month.

    A needless retraining ends at the promotion gate and costs little compared with a loss that is
    not reported.
    """
    budget = float(f"{_FALSE_ALARM_SHARE * compute_windows_per_year(window):.1g}")
    return min(_MAX_FALSE_ALARMS_PER_YEAR, budget)


def choose_cooldown(window: timedelta) -> timedelta:
    """Return how long the same drift is not announced again: a day, or one window if longer."""
    return max(_DAY, window)


def explain_short_reference(window: timedelta, reference: timedelta) -> str:
    """Return what a reference of this length does to the thresholds, or "" if it is long enough.

    Thresholds are calibrated from the reference's blocks: see `trimtab.detection.calibration`.
    """
    period = Window(start=_ANY_START, end=_ANY_START + reference, rows=0)
    block = find_seasonal_pattern(window, period).block
    blocks = reference // block
    if blocks < MIN_BLOCKS:
        return (
            f"{_format_blocks(blocks, block)} of reference are too few to keep"
            " false_alarms_per_year, so sensitivity alone decides what drifts:"
            f" use {MIN_BLOCKS * 2} or more"
        )
    if blocks < _ENOUGH_BLOCKS:
        return (
            f"{_format_blocks(blocks, block)} of reference are few to estimate how much columns"
            " vary by chance, so thresholds are high and small drift is not found:"
            f" use {_MANY_BLOCKS} or more"
        )
    return ""


def _format_blocks(count: int, block: timedelta) -> str:
    name = {_DAY: "day", _WEEK: "week"}.get(block, "window")
    return f"{count} {name}{'s' if count != 1 else ''}"
