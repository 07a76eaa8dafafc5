"""Trains the model of the demo and of retrainings: gradient-boosted trees with default settings.

It is deliberately plain: Trimtab compares windows and versions, not modelling skill.
"""

from typing import Any, Final, TypeAlias

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.rows import build_model_inputs, cast_targets
from trimtab.pipelines.scoring.thread_limits import limit_threads

MAX_ENCODED_CATEGORIES: Final = 254
"""Categories of a column that are encoded apart at most; the rarest share one code. The trees take
at most 255."""
MIN_CLASSES_TO_LEARN: Final = 2
_MISSING_CODE: Final = -1
"""Code of missing and unknown categories: the trees treat negative codes as missing."""

Booster: TypeAlias = Any
"""An untrained model of scikit-learn, which has no types."""


def fit_estimator(rows: pd.DataFrame, spec: ModelSpec, *, seed: int) -> Pipeline:
    """Train a model on the rows, which must be clean; raises `Refused` if they have one class."""
    table, target = build_model_inputs(rows, spec), cast_targets(rows, spec)
    if spec.task is Task.CLASSIFICATION and target.nunique() < MIN_CLASSES_TO_LEARN:
        msg = f"target {spec.target!r} has fewer than two classes in {len(rows)} training rows"
        raise Refused(msg)
    with limit_threads(len(rows)):
        return build_pipeline(spec, _build_booster(spec, seed)).fit(fill_empty(table), target)


def describe_estimator(spec: ModelSpec, seed: int) -> dict[str, str | int | float]:
    """Return the settings of the model for the log of its training run."""
    settings = _build_booster(spec, seed).get_params()
    logged = {name: settings[name] for name in ("learning_rate", "max_iter", "max_leaf_nodes")}
    return {"estimator": "HistGradientBoosting", "seed": seed, **logged}


def build_pipeline(spec: ModelSpec, booster: Booster) -> Pipeline:
    """Return an untrained pipeline that encodes categories and passes them to the booster."""
    categorical = [each.name for each in spec.features if each.kind is FeatureKind.CATEGORICAL]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=_MISSING_CODE,
        encoded_missing_value=_MISSING_CODE,
        max_categories=MAX_ENCODED_CATEGORIES,
    )
    encode = ColumnTransformer(
        [("categories", encoder, categorical)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    booster.set_params(categorical_features=list(range(len(categorical))))
    return Pipeline([("encode", encode), ("boost", booster)])


def fill_empty(table: pd.DataFrame) -> pd.DataFrame:
    """Fill columns without values, which the trees cannot bin, with 0."""
    empty = table.columns[table.isna().all()]
    return table.assign(**dict.fromkeys(empty, 0.0))


def _build_booster(spec: ModelSpec, seed: int) -> Booster:
    if spec.task is Task.REGRESSION:
        return HistGradientBoostingRegressor(early_stopping=False, random_state=seed)
    balanced = "balanced" if spec.metric == "balanced_accuracy" else None
    return HistGradientBoostingClassifier(
        early_stopping=False, random_state=seed, class_weight=balanced
    )
