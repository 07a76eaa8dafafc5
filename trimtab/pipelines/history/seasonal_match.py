"""Compares a window with the same window a season ago, from before the reference.

If the window resembles that one and not the reference, its change recurs: it is a season.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.window_signals import SeasonalMatch
from trimtab.detection.drift.column_drift import are_comparable
from trimtab.detection.drift.effect_sizes import compute_effect_sizes
from trimtab.detection.profiles.columns import list_monitored_columns
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import (
    find_covered_times,
    get_feature_column,
    get_target_column,
    read_rows,
)
from trimtab.pipelines.history.time_ranges import TimeRange

SEASON_PERIODS: Final = (
    timedelta(days=364),
    timedelta(days=28),
    timedelta(days=7),
)
"""A year, a month and a week, all in whole weeks."""
MAX_PERIODS_BACK: Final = 3
"""Periods that are gone back at most."""


def measure_seasonal_match(
    history: HistoryTable,
    spec: ModelSpec,
    *,
    reference: WindowProfile,
    current: WindowProfile,
    moved: Collection[str],
) -> SeasonalMatch | None:
    """Return how well the window matches the one a season ago; the best season if there are more.

    `current` is counted over the bins of `reference`, and `moved` are the columns that drifted.
    None if no column can be compared, or the history has no such window before the reference.
    """
    distances = _measure_distances(reference, current, moved)
    if not distances:
        return None
    first, _ = find_covered_times(history, spec)
    found = []
    for period, earlier in _list_earlier_ranges(reference, current):
        if pd.isna(first) or earlier.start < first.to_pydatetime() - timedelta(days=1):
            continue
        rows = read_rows(history, spec, earlier)
        if len(rows) < spec.minimum_rows:
            continue
        season = _measure_distances(
            _profile_columns(rows, spec, reference, [*distances]), current, [*distances]
        )
        if season:
            match = SeasonalMatch(
                period_days=period / timedelta(days=1),
                reference_psi=max(distances[name] for name in season),
                season_psi=max(season.values()),
            )
            found.append(match)
    return min(found, key=lambda match: match.season_psi, default=None)


def _list_earlier_ranges(
    reference: WindowProfile, current: WindowProfile
) -> list[tuple[timedelta, TimeRange]]:
    """Return the same window whole seasons ago, where that ends before the reference."""
    start, end = current.window.start, current.window.end
    ranges = []
    for period in SEASON_PERIODS:
        first = max(1, int(np.ceil((end - reference.window.start) / period)))
        for back in range(first, MAX_PERIODS_BACK + 1):
            earlier = TimeRange(start - back * period, end - back * period)
            ranges.append((back * period, earlier))
    return ranges


def _profile_columns(
    rows: pd.DataFrame, spec: ModelSpec, like: WindowProfile, names: Collection[str]
) -> WindowProfile:
    columns = [
        profile_column(_get_values(rows, spec, column.name), column, like=like.find(column.name))
        for column in list_monitored_columns(spec)
        if column.name in names and column.role is not FeatureRole.PREDICTION
    ]
    return like.model_copy(update={"columns": tuple(columns)})


def _get_values(rows: pd.DataFrame, spec: ModelSpec, name: str) -> "pd.Series[Any]":
    if name == spec.target:
        return get_target_column(rows, spec)
    return get_feature_column(rows, name)


def _measure_distances(
    before: WindowProfile, current: WindowProfile, names: Collection[str]
) -> dict[str, float]:
    """Return the population stability index of each of these columns that can be compared."""
    pairs = {
        name: (then, now)
        for name in names
        if (then := before.find(name)) and (now := current.find(name))
    }
    return {
        name: compute_effect_sizes(*pair).psi
        for name, pair in pairs.items()
        if are_comparable(*pair) and pair[0].column.role is not FeatureRole.PREDICTION
    }
