"""Profiles windows: features, target and predictions of the rows in a time range."""

from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from trimtab.contracts.drift import FeatureRole, Window
from trimtab.contracts.fitted import REFERENCE_PROFILE_FILE, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.detection.profiles.columns import Column, list_monitored_columns
from trimtab.detection.profiles.frames import profile_column, profile_window
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.remote import HistoryTable, is_remote, profile_engine_rows
from trimtab.pipelines.history.rows import get_feature_column, get_target_column
from trimtab.pipelines.history.time_ranges import TimeRange


def profile_rows(
    rows: pd.DataFrame,
    spec: ModelSpec,
    *,
    time_range: TimeRange,
    predictions: "pd.Series[Any]",
    labelled_until: datetime | None = None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Profile the rows of a time range, over the bins of `like` if that is given.

    Targets from `labelled_until` on are not known yet and do not count as missing.
    """
    labelled = rows if labelled_until is None else rows[rows[spec.timestamp] < labelled_until]

    def get_values(column: Column) -> "pd.Series[Any]":
        if column.role is FeatureRole.PREDICTION:
            return predictions
        if column.role is FeatureRole.TARGET:
            return get_target_column(labelled, spec)
        return get_feature_column(rows, column.name)

    newest = rows[spec.timestamp].max()
    return profile_window(
        rows,
        [(column, get_values(column)) for column in list_monitored_columns(spec)],
        model=spec.name,
        window=Window(start=time_range.start, end=time_range.end, rows=len(rows)),
        newest=None if pd.isna(newest) else newest.floor("us").to_pydatetime(),
        like=like,
    )


class PredictedRows(NamedTuple):
    """Rows in memory with their predictions."""

    rows: pd.DataFrame
    predictions: "pd.Series[Any]"


def profile_history(
    history: HistoryTable,
    spec: ModelSpec,
    *,
    time_range: TimeRange,
    predicted: PredictedRows,
    like: WindowProfile,
    labelled_until: datetime | None = None,
) -> WindowProfile:
    """Profile a time range of the history, over the bins of `like`.

    A table in an engine is profiled there, over all rows of the range; `predicted` may then hold a
    sample of them, and predictions are profiled for that sample. Targets from `labelled_until` on
    are not known yet and do not count as missing.
    """
    if not is_remote(history):
        return profile_rows(
            predicted.rows,
            spec,
            time_range=time_range,
            predictions=predicted.predictions,
            labelled_until=labelled_until,
            like=like,
        )
    column = list_monitored_columns(spec)[-1]
    return profile_engine_rows(
        history,
        spec,
        time_range=time_range,
        predictions=profile_column(predicted.predictions, column, like=like.find(column.name)),
        labelled_until=labelled_until,
        like=like,
    )


def load_reference_profile(version: ServedModel) -> WindowProfile:
    """Return the profile of the rows that a version was trained on."""
    return WindowProfile.model_validate(version.artifact(REFERENCE_PROFILE_FILE))


def build_reference_uri(version: ServedModel) -> str:
    """Return the MLflow URI of a version's reference profile."""
    return f"runs:/{version.run_id}/{REFERENCE_PROFILE_FILE}"
