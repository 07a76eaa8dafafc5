"""Profiles of windows: features, target and predictions of the rows in a span."""

from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from trimtab.contracts.drift import FeatureRole, Window
from trimtab.contracts.fitted import REFERENCE_PROFILE_FILE, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.detection.profiles.columns import Column, list_monitored_columns
from trimtab.detection.profiles.frames import profile_column, profile_window
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.remote import History, is_remote, profile_remote
from trimtab.pipelines.history.rows import Table, feature_values, target_values
from trimtab.pipelines.history.time_ranges import Span


def profile_rows(
    rows: Table,
    spec: ModelSpec,
    *,
    span: Span,
    predictions: "pd.Series[Any]",
    labelled_until: datetime | None = None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Count the span's rows, over the bins of `like` where given.

    Targets from `labelled_until` on are not known yet and do not count as missing.
    """
    labelled = rows if labelled_until is None else rows[rows[spec.timestamp] < labelled_until]

    def values(column: Column) -> "pd.Series[Any]":
        if column.role is FeatureRole.PREDICTION:
            return predictions
        if column.role is FeatureRole.TARGET:
            return target_values(labelled, spec)
        return feature_values(rows, column.name)

    newest = rows[spec.timestamp].max()
    return profile_window(
        rows,
        [(column, values(column)) for column in list_monitored_columns(spec)],
        model=spec.name,
        window=Window(start=span.start, end=span.end, rows=len(rows)),
        newest=None if pd.isna(newest) else newest.floor("us").to_pydatetime(),
        like=like,
    )


class Known(NamedTuple):
    """Rows in memory, and what was predicted of them."""

    rows: Table
    predictions: "pd.Series[Any]"


def profile_history(
    history: History,
    spec: ModelSpec,
    *,
    span: Span,
    known: Known,
    like: WindowProfile,
    labelled_until: datetime | None = None,
) -> WindowProfile:
    """As `profile_rows`; of a table in an engine all rows of the span are counted there.

    The rows in `known` may then be a part of them; the predictions counted are those for them.
    """
    if not is_remote(history):
        return profile_rows(
            known.rows,
            spec,
            span=span,
            predictions=known.predictions,
            labelled_until=labelled_until,
            like=like,
        )
    column = list_monitored_columns(spec)[-1]
    return profile_remote(
        history,
        spec,
        span=span,
        predictions=profile_column(known.predictions, column, like=like.find(column.name)),
        labelled_until=labelled_until,
        like=like,
    )


def reference_profile(version: ServedModel) -> WindowProfile:
    """The profile of what a version was trained on."""
    return WindowProfile.model_validate(version.artifact(REFERENCE_PROFILE_FILE))


def reference_uri(version: ServedModel) -> str:
    """Where that profile is kept."""
    return f"runs:/{version.run_id}/{REFERENCE_PROFILE_FILE}"
