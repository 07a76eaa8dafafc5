"""Proposes how closely a model is watched: segments, season, false-alarm budget, cooldown."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.contracts.model import ModelSpec
from trimtab.detection.calibration.seasonality import MIN_BLOCKS, find_seasonal_pattern
from trimtab.detection.profiles.casting import cast_to_categories

MOST_SEGMENTS: Final = 20
"""Most categories of a column whose parts are worth a metric of their own."""
_FEWEST_IN_ONE: Final = 20
"""Rows of a category in a usual window: fewer say nothing about the metric there."""
_MOST_COLUMNS: Final = 3
_ENOUGH_BLOCKS: Final = 42
_MANY_BLOCKS: Final = 84
_SOMETIME: Final = datetime(2024, 1, 1, tzinfo=UTC)
_WEEK, _DAY, _YEAR = timedelta(days=7), timedelta(days=1), timedelta(days=365)
_SHARE_OF_WINDOWS: Final = 0.1
"""Most windows, of those in a year, that may be false alarms."""
_MOST_FALSE_ALARMS: Final = 12.0


def segments(rows: pd.DataFrame, spec: ModelSpec, *, typical_rows: int) -> tuple[str, ...]:
    """Categorical features with few categories, each with enough rows in a usual window."""
    found = []
    for feature in spec.features:
        if feature.kind is not FeatureKind.CATEGORICAL:
            continue
        part = cast_to_categories(rows[feature.name]).value_counts(normalize=True)
        fewest = typical_rows * part.min() if len(part) else 0
        if 1 < len(part) <= MOST_SEGMENTS and fewest >= _FEWEST_IN_ONE:
            found.append((len(part), feature.name))
    return tuple(name for _, name in sorted(found, key=lambda each: each[0])[:_MOST_COLUMNS])


def season(window: timedelta) -> timedelta:
    """A week in whole windows; for longer windows about a year of them."""
    cycle = _WEEK if window < _WEEK else _YEAR
    return max(1, round(cycle / window)) * window


def windows_per_year(window: timedelta) -> float:
    """How often a model with such windows is looked at."""
    return _YEAR / window


def budget(window: timedelta) -> float:
    """False alarms a year, of one digit: one window in ten, but at most one a month.

    A needless retraining ends at the gate and costs little beside a loss that nobody is told of.
    """
    return min(_MOST_FALSE_ALARMS, float(f"{_SHARE_OF_WINDOWS * windows_per_year(window):.1g}"))


def thin_reference(window: timedelta, reference: timedelta) -> str:
    """What a reference of that length does to the thresholds; empty where it holds enough.

    What chance does to a column is told by the reference's blocks: see `detection.calibration`.
    """
    span = Window(start=_SOMETIME, end=_SOMETIME + reference, rows=0)
    block = find_seasonal_pattern(window, span).block
    blocks = reference // block
    if blocks < MIN_BLOCKS:
        return (
            f"{_stretches(blocks, block)} of reference are too few to hold false_alarms_per_year:"
            f" sensitivity alone says what drifts; {MIN_BLOCKS * 2} or more would do"
        )
    if blocks < _ENOUGH_BLOCKS:
        return (
            f"{_stretches(blocks, block)} of reference are few to tell how far columns stray by"
            f" chance: thresholds are high for it, and small drift is not told; {_MANY_BLOCKS}"
            " would do"
        )
    return ""


def _stretches(count: int, block: timedelta) -> str:
    name = {_DAY: "day", _WEEK: "week"}.get(block, "window")
    return f"{count} {name}{'s' if count != 1 else ''}"


def cooldown(window: timedelta) -> timedelta:
    """The same drift is announced at most once a day, and once a window."""
    return max(_DAY, window)
