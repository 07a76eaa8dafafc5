"""Computes the metric of a model on labelled rows, with its standard error."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from trimtab.contracts.model import ModelSpec, Task
from trimtab.detection.drift.standard_errors import (
    MIN_DISTINCT_TARGETS,
    ClusterLabels,
    compute_standard_error,
    label_time_clusters,
)
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.detection.performance.rare_classes import (
    MIN_RARE_CLASS_ROWS,
    compute_class_error,
    count_rarest_class,
)
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
    return score_outputs(clean, predict_outputs(model, clean, spec), spec)


def score_labelled_rows(model: Predictor, rows: pd.DataFrame, spec: ModelSpec) -> MetricScore:
    """Return the model's metric as `score_model` does, but unknown if a class has too few rows.

    A handful of positives makes a metric of classes noise, however many rows there are.
    """
    score = score_model(model, rows, spec)
    return score if has_enough_classes(rows, spec) else score._replace(value=None, error=None)


def score_outputs(clean: pd.DataFrame, outputs: "pd.Series[Any]", spec: ModelSpec) -> MetricScore:
    """Return the metric of a model's outputs on clean rows; `outputs` as of `predict_outputs`."""
    truth = cast_targets(clean, spec)
    value = compute_metric(truth, outputs, spec)
    if value is None:
        return MetricScore(None, len(clean), None)
    compared = truth == outputs.name if spec.metric == "roc_auc" else truth
    error = compute_standard_error(
        spec.metric, compared, outputs, clusters=label_row_clusters(clean, spec)
    )
    by_class = compute_class_error(spec.metric, compared.to_numpy(), outputs.to_numpy())
    return MetricScore(value, len(clean), error and max(error, by_class))


def has_enough_classes(rows: pd.DataFrame, spec: ModelSpec) -> bool:
    """Return whether each class has enough labelled rows to measure a metric; True for numbers."""
    if spec.task is Task.REGRESSION:
        return True
    targets = cast_targets(keep_valid_targets(rows, spec), spec)
    return count_rarest_class(targets) >= MIN_RARE_CLASS_ROWS


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
