"""Computes the metric of a model on labelled rows, with its standard error."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.standard_errors import (
    MIN_DISTINCT_TARGETS,
    ClusterLabels,
    compute_standard_error,
    label_time_clusters,
)
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.pipelines.history.rows import cast_targets, keep_valid_targets
from trimtab.pipelines.scoring.predictions import Predictor, predict_outputs

METRIC_FUNCTIONS: Final = {
    "r2": r2_score,
    "roc_auc": roc_auc_score,
    "balanced_accuracy": balanced_accuracy_score,
}
"""Function of scikit-learn by metric: of the truth and a model's outputs."""


class MetricScore(NamedTuple):
    """A metric on some rows."""

    value: float | None
    """None if the metric is undefined: no rows, a constant target, a single class."""
    rows: int
    """Number of clean rows."""
    error: float | None
    """Standard error of the value; None if it is undefined."""


def score_model(model: Predictor, rows: pd.DataFrame, spec: ModelSpec) -> MetricScore:
    """Return the model's metric on the clean ones among the rows."""
    clean = keep_valid_targets(rows, spec)
    if isinstance(model, LoggedPredictions):
        clean = model.select_rows(clean)
    truth, outputs = cast_targets(clean, spec), predict_outputs(model, clean, spec)
    value = compute_metric(truth, outputs, spec)
    if value is None:
        return MetricScore(None, len(clean), None)
    compared = truth == outputs.name if spec.metric == "roc_auc" else truth
    error = compute_standard_error(
        spec.metric, compared, outputs, clusters=label_row_clusters(clean, spec)
    )
    return MetricScore(value, len(clean), error)


def compute_metric(
    truth: "pd.Series[Any]", outputs: "pd.Series[Any]", spec: ModelSpec
) -> float | None:
    """Return the metric of a model's outputs; None if it is undefined or not finite.

    `outputs` as made by `predict_outputs`.
    """
    if spec.metric == "roc_auc":
        truth = truth == outputs.name
    if truth.nunique() < MIN_DISTINCT_TARGETS:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(METRIC_FUNCTIONS[spec.metric](truth, outputs))
    return value if math.isfinite(value) else None


def label_row_clusters(rows: pd.DataFrame, spec: ModelSpec) -> ClusterLabels:
    """Return the clusters of time within which the rows may resemble each other."""
    return label_time_clusters(rows[spec.timestamp], spec.dependence)
