"""Trains and asks the loss model: a second model that predicts the squared error of the first."""

from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from trimtab.contracts.model import ModelSpec
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.pipelines.history.rows import build_model_inputs
from trimtab.pipelines.scoring.estimator import build_pipeline, fill_empty
from trimtab.pipelines.scoring.thread_limits import limit_threads

_PREDICTION_COLUMN: Final = "(predicted)"
"""Name of the prediction among the inputs of the loss model; no feature may have it."""


def fit_loss_model(
    inputs: pd.DataFrame, squared_errors: "pd.Series[float]", spec: ModelSpec, *, seed: int
) -> Pipeline:
    """Train a loss model; `inputs` as made by `build_loss_inputs`."""
    booster = HistGradientBoostingRegressor(
        loss="poisson",  # predicts no negative loss, and keeps the mean
        max_iter=50,
        max_leaf_nodes=8,
        min_samples_leaf=50,
        early_stopping=False,
        random_state=seed,
    )
    with limit_threads(len(inputs)):
        return build_pipeline(spec, booster).fit(fill_empty(inputs), squared_errors)


def predict_loss(model: Pipeline, inputs: pd.DataFrame) -> FloatArray:
    """Return the expected squared error of each row; `inputs` as made by `build_loss_inputs`."""
    with limit_threads(len(inputs)):
        losses: FloatArray = model.predict(inputs) if len(inputs) else np.empty(0)
    return losses


def build_loss_inputs(
    rows: pd.DataFrame, predictions: "pd.Series[Any]", spec: ModelSpec
) -> pd.DataFrame:
    """Return the inputs of the first model, and its prediction."""
    inputs = build_model_inputs(rows, spec)
    return inputs.assign(**{_PREDICTION_COLUMN: predictions.astype("float64")})
