"""Prepares performance estimation at training time, to be stored with the model.

All of it comes from rows held out at training time and from a model that has not learned from
them, which differs from the registered one by those rows alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from pydantic import JsonValue
from sklearn.model_selection import KFold

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.fitted import IMPORTANCE_FILE, LOSS_FILE, PERFORMANCE_ESTIMATION_FILE
from trimtab.contracts.model import ModelSpec, Task
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.performance.cbpe import fit_cbpe_reference
from trimtab.detection.performance.dle import build_dle_reference
from trimtab.detection.performance.performance_estimation import (
    ESTIMATION_FOLDS,
    MIN_ROWS_TO_ESTIMATE,
    EstimationReference,
)
from trimtab.detection.profiles.arrays import IntArray
from trimtab.pipelines.history.rows import build_model_inputs, cast_targets
from trimtab.pipelines.scoring.importance import measure_importance
from trimtab.pipelines.scoring.loss_model import build_loss_inputs, fit_loss_model, predict_loss
from trimtab.pipelines.scoring.metrics import label_row_clusters
from trimtab.pipelines.scoring.predictions import (
    Predictor,
    list_classes,
    predict_probabilities,
    predict_targets,
)

MAX_ESTIMATION_ROWS: Final = 20_000
"""Held-out rows that are learned from at most."""
MAX_ROWS_TO_WEIGH_FEATURES: Final = 2_000
"""Held-out rows on which the importance of features is measured at most."""
MAX_KEPT_VALUES: Final = 400_000
"""Values of the reference's rows that are stored at most: about 1.6 MB."""
_MAX_FLOAT32: Final = float(np.finfo("float32").max)


class EstimationArtifacts(NamedTuple):
    """The content that is stored with a version, by file name."""

    artifacts: Mapping[str, dict[str, JsonValue]]
    """JSON content."""
    companions: Mapping[str, Any]
    """Further scikit-learn pipelines."""


def prepare_estimation(
    model: Predictor, held_out: pd.DataFrame, spec: ModelSpec, *, seed: int
) -> EstimationArtifacts:
    """Measure the importance of features, and fit what estimates the metric without labels.

    `held_out` must be clean, and the model must not have learned from it.
    """
    rows = sample_frame(held_out, MAX_ESTIMATION_ROWS, seed=seed)
    weighed = sample_frame(held_out, MAX_ROWS_TO_WEIGH_FEATURES, seed=seed)
    reference, companions = _fit_reference(model, rows, spec, seed)
    artifacts: dict[str, dict[str, JsonValue]] = {
        IMPORTANCE_FILE: dict(measure_importance(model, weighed, spec, seed=seed))
    }
    if reference:
        artifacts[PERFORMANCE_ESTIMATION_FILE] = reference.model_dump(mode="json")
    return EstimationArtifacts(artifacts, companions)


def sample_reference_rows(rows: pd.DataFrame, spec: ModelSpec, *, seed: int) -> pd.DataFrame:
    """Return a sample of the rows that later ones are compared with, with times, in their order."""
    most = min(spec.sensitivity.rows_compared, MAX_KEPT_VALUES // len(spec.features))
    kept = sample_frame(rows.sort_values(spec.timestamp, kind="stable"), most, seed=seed)
    return build_classifier_inputs(kept, spec).assign(**{spec.timestamp: kept[spec.timestamp]})


def build_classifier_inputs(rows: pd.DataFrame, spec: ModelSpec) -> pd.DataFrame:
    """Return the features for the domain classifier: numbers as float32, categories as text.

    Numbers beyond the range of float32 count as its largest. Features derived from the time are
    left out, because they tell which window a row is from.
    """
    table = build_model_inputs(rows, spec)
    kinds = {each.name: each.kind for each in spec.features}
    numeric = [name for name, kind in kinds.items() if kind is FeatureKind.NUMERIC]
    table[numeric] = table[numeric].clip(-_MAX_FLOAT32, _MAX_FLOAT32)
    return table[list(kinds)].astype(dict.fromkeys(numeric, "float32"))


def index_classes(classes: Sequence[str], values: "pd.Series[Any]") -> IntArray:
    """Return the index of each value among the classes, or -1 if it is none of them."""
    order = {name: index for index, name in enumerate(classes)}
    return np.array([order.get(value, -1) for value in values], dtype="int64")


def _fit_reference(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec, seed: int
) -> tuple[EstimationReference | None, Mapping[str, Any]]:
    """Return the reference of the estimate, if there are enough rows, and further models."""
    if spec.task is Task.REGRESSION:
        return _fit_loss_reference(model, rows, spec, seed)
    scores = predict_probabilities(model, rows, spec)
    if scores is None:
        return None, {}
    truth = index_classes(list_classes(model), cast_targets(rows, spec))
    known = truth >= 0  # a class that was not in the training rows has no score
    reference = fit_cbpe_reference(
        spec.metric,
        scores[known],
        truth[known],
        predicted=scores[known].argmax(axis=1),
        clusters=label_row_clusters(rows[known], spec),
        seed=seed,
    )
    return reference, {}


def _fit_loss_reference(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec, seed: int
) -> tuple[EstimationReference | None, Mapping[str, Any]]:
    predictions = predict_targets(model, rows, spec)
    with np.errstate(over="ignore"):
        errors = (cast_targets(rows, spec) - predictions) ** 2
        total = float(errors.sum())
    if len(rows) < MIN_ROWS_TO_ESTIMATE or not 0.0 < total < np.inf:
        return None, {}
    table = build_loss_inputs(rows, predictions, spec)
    losses = np.empty(len(rows))
    folds = KFold(ESTIMATION_FOLDS, shuffle=True, random_state=seed)
    for learned, held_out in folds.split(table):
        fold = fit_loss_model(table.iloc[learned], errors.iloc[learned], spec, seed=seed)
        losses[held_out] = predict_loss(fold, table.iloc[held_out])
    reference = build_dle_reference(
        losses, predictions.to_numpy(), clusters=label_row_clusters(rows, spec)
    )
    return reference, {LOSS_FILE: fit_loss_model(table, errors, spec, seed=seed)}
