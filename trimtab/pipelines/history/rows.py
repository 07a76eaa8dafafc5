"""Turns a history table into rows that a model can learn from or be scored on."""

from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.detection.tables.timestamps import parse_timestamps
from trimtab.pipelines.history.remote import (
    HistoryTable,
    fetch_rows,
    find_first_and_last_time,
    is_remote,
)
from trimtab.pipelines.history.time_ranges import TimeRange


def read_rows(history: HistoryTable, spec: ModelSpec, time_range: TimeRange) -> pd.DataFrame:
    """Return the rows whose time lies in the range, with times in UTC, dirty rows included.

    At most 500,000 rows of a table in an engine are read: see `fetch_rows`.
    """
    if is_remote(history):
        history = fetch_rows(history, spec, time_range)
    times = read_row_times(history, spec)
    inside = (times >= time_range.start) & (times < time_range.end)
    return history.loc[inside].assign(**{spec.timestamp: times[inside]})


def read_row_times(history: pd.DataFrame, spec: ModelSpec) -> "pd.Series[pd.Timestamp]":
    """Return the time of each row in UTC."""
    column = _get_column(history, spec.timestamp, spec)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    return parse_timestamps(column).times


def find_first_window_start(history: HistoryTable, spec: ModelSpec) -> datetime:
    """Return the start of the first window: as configured, or midnight of the first row's day.

    Raises `Refused` if no row has a time.
    """
    if spec.start is not None:
        return spec.start
    first, _ = find_covered_times(history, spec)
    if pd.isna(first):
        msg = f"no row of {spec.dataset!r} has a time in {spec.timestamp!r}"
        raise Refused(msg)
    day = first.to_pydatetime()
    return datetime.combine(day.date(), time(), tzinfo=day.tzinfo)


def find_covered_times(history: HistoryTable, spec: ModelSpec) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the times of the first and last row in UTC; NaT if no row has a time."""
    if is_remote(history):
        return find_first_and_last_time(history, spec)
    times = read_row_times(history, spec)
    return times.min(), times.max()


def cast_targets(rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """Return the targets as the model learns them: numbers or text, and NaN if missing."""
    values = get_target_column(rows, spec)
    regression = spec.task is Task.REGRESSION
    return cast_to_numbers(values) if regression else cast_to_categories(values)


def get_target_column(rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """Return the target as it is in the table; raises `Refused` if the table lacks it."""
    return _get_column(rows, spec.target, spec)


def get_feature_column(rows: pd.DataFrame, name: str) -> "pd.Series[Any]":
    """Return a feature as it is in the table; it is missing in every row if the table lacks it."""
    return rows[name] if name in rows else pd.Series(np.nan, index=rows.index)


def keep_valid_targets(rows: pd.DataFrame, spec: ModelSpec) -> pd.DataFrame:
    """Return the clean rows: those whose target is known and within the configured bounds."""
    values = cast_targets(rows, spec)
    valid = values.notna()
    if spec.task is Task.REGRESSION:
        if spec.target_minimum is not None:
            valid &= values >= spec.target_minimum
        if spec.target_maximum is not None:
            valid &= values <= spec.target_maximum
    return rows.loc[valid]


def build_model_inputs(rows: pd.DataFrame, spec: ModelSpec) -> pd.DataFrame:
    """Return the model's inputs: the features, then those derived from the time.

    A feature that the table lacks is missing in every row.
    """
    columns: dict[str, pd.Series[Any]] = {}
    for feature in spec.features:
        values = get_feature_column(rows, feature.name)
        numeric = feature.kind is FeatureKind.NUMERIC
        columns[feature.name] = cast_to_numbers(values) if numeric else cast_to_categories(values)
    times = rows[spec.timestamp].dt
    derived = {"hour": times.hour, "weekday": times.day_of_week, "month": times.month}
    for name in spec.time_features:
        columns[name_time_feature(spec, name)] = derived[name].astype("float64")
    return pd.DataFrame(columns, index=rows.index)


def name_time_feature(spec: ModelSpec, name: str) -> str:
    """Return the column name of a feature derived from the time: its own unless that is taken."""
    taken = {feature.name for feature in spec.features}
    return name if name not in taken else f"{spec.timestamp}:{name}"


def _get_column(table: pd.DataFrame, name: str, spec: ModelSpec) -> "pd.Series[Any]":
    if name not in table:
        columns = ", ".join(str(each) for each in table)
        msg = f"dataset {spec.dataset!r} has no column {name!r}; it has {columns}"
        raise Refused(msg)
    return table[name]
