"""Measures the permutation importance of a model's features (Breiman, 2001)."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from trimtab.contracts.model import ModelSpec
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.detection.profiles.arrays import AnyArray, FloatArray
from trimtab.pipelines.history.rows import build_model_inputs, cast_targets, get_feature_column
from trimtab.pipelines.scoring.metrics import METRIC_FUNCTIONS, score_model
from trimtab.pipelines.scoring.predictions import Predictor
from trimtab.pipelines.scoring.thread_limits import limit_threads

PERMUTATION_REPEATS: Final = 3
"""Permutations of each input; one if there are more inputs than `MAX_INPUTS_TO_REPEAT`."""
MAX_INPUTS_TO_REPEAT: Final = 50


def measure_importance(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec, *, seed: int
) -> dict[str, float]:
    """Return the loss of the metric if an input is permuted among the rows, which must be clean.

    It is empty for logged predictions, which have no inputs.
    """
    if isinstance(model, LoggedPredictions):
        return {}
    if not isinstance(model, Pipeline):
        return _measure_foreign_importance(model, rows, spec, seed=seed)
    *_, boost = model
    encoded = model[:-1].transform(build_model_inputs(rows, spec))
    names = model[:-1].get_feature_names_out()
    with limit_threads(len(rows)):
        measured = permutation_importance(
            boost,
            np.asarray(encoded, dtype="float64"),
            cast_targets(rows, spec).to_numpy(),
            scoring=_build_scorer(spec),
            n_repeats=PERMUTATION_REPEATS if len(names) <= MAX_INPUTS_TO_REPEAT else 1,
            random_state=seed,
        )
    return dict(zip(names.tolist(), measured.importances_mean.tolist(), strict=True))


def _measure_foreign_importance(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec, *, seed: int
) -> dict[str, float]:
    """Permute each feature of the table once, for a model whose inner structure is unknown."""
    before, random = score_model(model, rows, spec).value, np.random.default_rng(seed)
    losses = {}
    for feature in spec.features:
        values = get_feature_column(rows, feature.name).to_numpy()
        permuted = values[random.permutation(len(rows))]
        after = score_model(model, rows.assign(**{feature.name: permuted}), spec).value
        if before is not None and after is not None:
            losses[feature.name] = before - after
    return losses


def _build_scorer(spec: ModelSpec) -> Callable[[Predictor, FloatArray, AnyArray], float]:
    """Return the metric as a scorer of scikit-learn: of a model, its inputs and the truth."""

    def score_auc(model: Predictor, table: FloatArray, truth: AnyArray) -> float:
        of_class = truth == model.classes_[1]
        return float(roc_auc_score(of_class, model.predict_proba(table)[:, 1]))

    def score_predictions(model: Predictor, table: FloatArray, truth: AnyArray) -> float:
        return float(METRIC_FUNCTIONS[spec.metric](truth, model.predict(table)))

    return score_auc if spec.metric == "roc_auc" else score_predictions
