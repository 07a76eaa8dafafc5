"""Asks a model, or the predictions that were logged in its place, about rows."""

from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.detection.onboarding.predictions import LoggedPredictions, are_probabilities
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.pipelines.history.rows import build_model_inputs, get_feature_column
from trimtab.pipelines.scoring.thread_limits import limit_threads

Predictor: TypeAlias = Any
"""A scikit-learn pipeline, a model that was registered elsewhere, or logged predictions. Libraries
of models have no types."""
BINARY_CLASS_COUNT: Final = 2


def choose_predictor(champion: ServedModel, rows: pd.DataFrame, spec: ModelSpec) -> Predictor:
    """Return the predictions logged in the column `spec.prediction`, or else the champion.

    The champion is asked if the window has no logged predictions, or if these cannot be used: a
    version that Trimtab made after the first one may find its predecessor's on record, and a metric
    of scores needs probabilities, not classes.
    """
    model = champion.load()
    if (
        spec.prediction is None
        or isinstance(model, LoggedPredictions)
        or EFFECT_KEY_TAG in champion.tags
    ):
        return model
    values = get_feature_column(rows, spec.prediction).dropna()
    if values.empty:
        return model
    if spec.task is Task.REGRESSION:
        return LoggedPredictions(spec.prediction, spec.task)
    classes = tuple(str(name) for name in model.classes_)
    if are_probabilities(values) and len(classes) == BINARY_CLASS_COUNT:
        return LoggedPredictions(spec.prediction, spec.task, classes)
    return model if spec.metric == "roc_auc" else LoggedPredictions(spec.prediction, spec.task)


def predict_targets(model: Predictor, rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """Return a number, or the class as text, for each row."""
    if isinstance(model, LoggedPredictions):
        return model.read_predictions(rows)
    with limit_threads(len(rows)):
        predicted = model.predict(build_model_inputs(rows, spec)) if len(rows) else []
    kind = "float64" if spec.task is Task.REGRESSION else "object"
    return pd.Series(predicted, index=rows.index, dtype=kind)


def predict_outputs(model: Predictor, rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """Return the outputs that the metric needs: predictions, or for roc_auc probabilities.

    Probabilities are of the second class, whose name is the name of the series. Raises `Refused`
    if the metric is roc_auc and the model gives no probabilities, or has other than two classes.
    """
    if spec.metric != "roc_auc":
        return predict_targets(model, rows, spec)
    if isinstance(model, LoggedPredictions):
        return model.read_probabilities(rows)
    if not hasattr(model, "predict_proba"):
        msg = (
            f"metric = roc_auc: the model of {spec.name!r} gives no class probabilities:"
            " write metric: balanced_accuracy"
        )
        raise Refused(msg)
    if len(model.classes_) != BINARY_CLASS_COUNT:
        msg = f"roc_auc needs two classes, target {spec.target!r} has {list(model.classes_)}"
        raise Refused(msg)
    with limit_threads(len(rows)):
        scores = model.predict_proba(build_model_inputs(rows, spec))[:, 1] if len(rows) else []
    return pd.Series(scores, index=rows.index, dtype="float64", name=model.classes_[1])


def predict_probabilities(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec
) -> FloatArray | None:
    """Return the probability of each class, shape (rows, classes); None if the model gives none.

    The classes are in the order of `list_classes`.
    """
    if isinstance(model, LoggedPredictions) and model.classes:
        likely = model.read_probabilities(rows).to_numpy(dtype="float64")
        return np.column_stack([1.0 - likely, likely])
    if spec.task is Task.REGRESSION or not hasattr(model, "predict_proba"):
        return None
    with limit_threads(len(rows)):
        probabilities: FloatArray = model.predict_proba(build_model_inputs(rows, spec))
    return probabilities


def list_classes(model: Predictor) -> tuple[str, ...]:
    """Return the classes of a classifier, in the order of its probabilities."""
    return tuple(model.classes if isinstance(model, LoggedPredictions) else model.classes_)


def count_classes(model: Predictor, spec: ModelSpec) -> int:
    """Return the number of classes that a model predicts; two if it does not say them."""
    if spec.task is Task.REGRESSION:
        return BINARY_CLASS_COUNT
    classes = getattr(model, "classes" if isinstance(model, LoggedPredictions) else "classes_", ())
    return max(len(classes), BINARY_CLASS_COUNT)
