"""From a history table to rows a model can learn from or be scored on."""

from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.detection.tables.timestamps import parse_timestamps
from trimtab.pipelines.history.remote import History, extremes, fetch, is_remote
from trimtab.pipelines.history.time_ranges import Span

Table = pd.DataFrame
Values = pd.Series


def rows_between(history: History, spec: ModelSpec, span: Span) -> Table:
    """The rows whose time lies in the span, with times read as UTC, dirty rows included.

    Of a table in an engine at most 500,000: see `pipelines.remote`.
    """
    if is_remote(history):
        history = fetch(history, spec, span)
    times = row_times(history, spec)
    inside = (times >= span.start) & (times < span.end)
    return history.loc[inside].assign(**{spec.timestamp: times[inside]})


def row_times(history: Table, spec: ModelSpec) -> "Values[pd.Timestamp]":
    """The time of each row, read as UTC."""
    column = _column(history, spec.timestamp, spec)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    return parse_timestamps(column).times


def first_window_start(history: History, spec: ModelSpec) -> datetime:
    """Where the first window begins: as configured, or midnight of the first row's day."""
    if spec.start is not None:
        return spec.start
    first, _ = covered(history, spec)
    if pd.isna(first):
        msg = f"no row of {spec.dataset!r} has a time in {spec.timestamp!r}"
        raise Refused(msg)
    day = first.to_pydatetime()
    return datetime.combine(day.date(), time(), tzinfo=day.tzinfo)


def covered(history: History, spec: ModelSpec) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The times of the first and of the last row, UTC; NaT where there is none."""
    if is_remote(history):
        return extremes(history, spec)
    times = row_times(history, spec)
    return times.min(), times.max()


def targets(rows: Table, spec: ModelSpec) -> "Values[Any]":
    """The target as the model learns it: numbers, or categories as text; missing ones as NaN."""
    values = target_values(rows, spec)
    return cast_to_numbers(values) if spec.task is Task.REGRESSION else cast_to_categories(values)


def target_values(rows: Table, spec: ModelSpec) -> "Values[Any]":
    """The target as the table has it."""
    return _column(rows, spec.target, spec)


def feature_values(rows: Table, name: str) -> "Values[Any]":
    """A feature as the table has it; missing in every row where the table lacks it."""
    return rows[name] if name in rows else pd.Series(np.nan, index=rows.index)


def clean(rows: Table, spec: ModelSpec) -> Table:
    """Only the rows with a target that makes sense."""
    values = targets(rows, spec)
    good = values.notna()
    if spec.task is Task.REGRESSION:
        if spec.target_minimum is not None:
            good &= values >= spec.target_minimum
        if spec.target_maximum is not None:
            good &= values <= spec.target_maximum
    return rows.loc[good]


def inputs(rows: Table, spec: ModelSpec) -> Table:
    """The model's input: features and what is derived from the time, in a fixed order.

    A feature that the table lacks is missing in every row.
    """
    columns: dict[str, Values[Any]] = {}
    for feature in spec.features:
        values = feature_values(rows, feature.name)
        numeric = feature.kind is FeatureKind.NUMERIC
        columns[feature.name] = cast_to_numbers(values) if numeric else cast_to_categories(values)
    times = rows[spec.timestamp].dt
    derived = {"hour": times.hour, "weekday": times.day_of_week, "month": times.month}
    for name in spec.time_features:
        columns[time_column(spec, name)] = derived[name].astype("float64")
    return pd.DataFrame(columns, index=rows.index)


def time_column(spec: ModelSpec, name: str) -> str:
    """What a derived column is called: its name, unless a feature has it."""
    taken = {feature.name for feature in spec.features}
    return name if name not in taken else f"{spec.timestamp}:{name}"


def _column(table: Table, name: str, spec: ModelSpec) -> "Values[Any]":
    if name not in table:
        there = ", ".join(str(each) for each in table)
        msg = f"dataset {spec.dataset!r} has no column {name!r}; it has {there}"
        raise Refused(msg)
    return table[name]
