"""The model that Trimtab trains: gradient-boosted trees with default settings, and its metric.

Deliberately plain: what is compared are windows and versions, not modelling skill.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import ThreadpoolController

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.detection.drift.standard_errors import Groupings, groupings, standard_error
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.pipelines.history.rows import clean, feature_values, inputs, targets

MANY_ROWS: Final = 200_000
"""Rows from which on more than one thread pays: below, threads wait for each other."""
MOST_CATEGORIES: Final = 254
"""The trees take at most 255 categories a column; the rarest beyond share one."""
_MISSING: Final = -1
"""Code of missing and unknown categories: the trees treat negative ones as missing."""
_PREDICTED: Final = "(predicted)"
"""What the prediction is called among the inputs of the learnt loss; no feature may be."""
REPEATS: Final = 3
"""How often an input is dealt out anew to weigh it; once where there are many inputs."""
MANY_FEATURES: Final = 50
_METRICS: Final = {
    "r2": r2_score,
    "roc_auc": roc_auc_score,
    "balanced_accuracy": balanced_accuracy_score,
}

Numbers = npt.NDArray[np.float64]


class Score(NamedTuple):
    """A metric on some rows."""

    value: float | None
    """None where the metric is undefined: no rows, a constant target, a single class."""
    rows: int
    """The clean ones among the rows."""
    error: float | None
    """The value's standard error; None where that is undefined."""


def fit(rows: pd.DataFrame, spec: ModelSpec, *, seed: int) -> Pipeline:
    """Learn from the rows, which must be clean."""
    table, target = inputs(rows, spec), targets(rows, spec)
    if spec.task is Task.CLASSIFICATION and target.nunique() < 2:  # noqa: PLR2004 - two classes
        msg = f"target {spec.target!r} has fewer than two classes in {len(rows)} training rows"
        raise Refused(msg)
    empty = table.columns[table.isna().all()]
    table = table.assign(**dict.fromkeys(empty, 0.0))  # the trees cannot bin a column of nothing
    with _threads(len(rows)):
        return _untrained(spec, seed).fit(table, target)


def predict(model: Pipeline, rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """A number, or the class as text, for each row."""
    if isinstance(model, LoggedPredictions):
        return model.read_predictions(rows)
    with _threads(len(rows)):
        found = model.predict(inputs(rows, spec)) if len(rows) else []
    kind = "float64" if spec.task is Task.REGRESSION else "object"
    return pd.Series(found, index=rows.index, dtype=kind)


def score(model: Pipeline, rows: pd.DataFrame, spec: ModelSpec) -> Score:
    """The model's metric on the clean ones among the rows."""
    good = clean(rows, spec)
    if isinstance(model, LoggedPredictions):
        good = model.select_rows(good)
    truth, found = targets(good, spec), outputs(model, good, spec)
    value = measure(truth, found, spec)
    if value is None:
        return Score(None, len(good), None)
    of_class = truth == found.name if spec.metric == "roc_auc" else truth
    error = standard_error(spec.metric, of_class, found, alike=alike(good, spec))
    return Score(value, len(good), error)


def alike(rows: pd.DataFrame, spec: ModelSpec) -> Groupings:
    """By which stretches of time the rows may resemble each other."""
    return groupings(rows[spec.timestamp], spec.dependence)


def outputs(model: Pipeline, rows: pd.DataFrame, spec: ModelSpec) -> "pd.Series[Any]":
    """What the metric looks at: predictions, or for roc_auc whether the second class is likely."""
    if spec.metric != "roc_auc":
        return predict(model, rows, spec)
    if isinstance(model, LoggedPredictions):
        return model.read_probabilities(rows)
    if not hasattr(model, "predict_proba"):
        msg = (
            f"metric = roc_auc: the model of {spec.name!r} tells no chances of classes:"
            " write metric: balanced_accuracy"
        )
        raise Refused(msg)
    if len(model.classes_) != 2:  # noqa: PLR2004 - defined for two classes
        msg = f"roc_auc needs two classes, target {spec.target!r} has {list(model.classes_)}"
        raise Refused(msg)
    with _threads(len(rows)):
        chances = model.predict_proba(inputs(rows, spec))[:, 1] if len(rows) else []
    return pd.Series(chances, index=rows.index, dtype="float64", name=model.classes_[1])


def chances(model: Pipeline, rows: pd.DataFrame, spec: ModelSpec) -> Numbers | None:
    """The probability of each of `classes`, for each row; None where the model tells none."""
    if isinstance(model, LoggedPredictions) and model.classes:
        likely = model.read_probabilities(rows).to_numpy(dtype="float64")
        return np.column_stack([1.0 - likely, likely])
    if spec.task is Task.REGRESSION or not hasattr(model, "predict_proba"):
        return None
    with _threads(len(rows)):
        found: Numbers = model.predict_proba(inputs(rows, spec))
    return found


def classes(model: Pipeline) -> tuple[str, ...]:
    """The classes that a classifier tells apart, in the order of its chances."""
    return tuple(model.classes if isinstance(model, LoggedPredictions) else model.classes_)


def fit_loss(
    rows: pd.DataFrame, errors: "pd.Series[float]", spec: ModelSpec, *, seed: int
) -> Pipeline:
    """Learn the squared error of predictions; `rows` as made by `loss_inputs`."""
    booster = HistGradientBoostingRegressor(
        loss="poisson",  # no loss is negative, and its mean is kept
        max_iter=50,
        max_leaf_nodes=8,
        min_samples_leaf=50,
        early_stopping=False,
        random_state=seed,
    )
    empty = rows.columns[rows.isna().all()]
    with _threads(len(rows)):
        return _encoded(spec, booster).fit(rows.assign(**dict.fromkeys(empty, 0.0)), errors)


def expected_loss(model: Pipeline, rows: pd.DataFrame) -> Numbers:
    """The squared error to expect of each row; `rows` as made by `loss_inputs`."""
    with _threads(len(rows)):
        found: Numbers = model.predict(rows) if len(rows) else np.empty(0)
    return found


def loss_inputs(rows: pd.DataFrame, predictions: "pd.Series[Any]", spec: ModelSpec) -> pd.DataFrame:
    """What a loss is learnt from: the model's input, and what it made of it."""
    return inputs(rows, spec).assign(**{_PREDICTED: predictions.astype("float64")})


def importances(
    model: Pipeline, rows: pd.DataFrame, spec: ModelSpec, *, seed: int
) -> dict[str, float]:
    """What the metric loses when an input is dealt out anew among the rows, which must be clean."""
    if not isinstance(model, Pipeline):
        return (
            {} if isinstance(model, LoggedPredictions) else _weighed(model, rows, spec, seed=seed)
        )
    *_, boost = model
    encoded = model[:-1].transform(inputs(rows, spec))
    names = model[:-1].get_feature_names_out()
    with _threads(len(rows)):
        found = permutation_importance(
            boost,
            np.asarray(encoded, dtype="float64"),
            targets(rows, spec).to_numpy(),
            scoring=_scorer(spec),
            n_repeats=REPEATS if len(names) <= MANY_FEATURES else 1,
            random_state=seed,
        )
    return dict(zip(names.tolist(), found.importances_mean.tolist(), strict=True))


def _weighed(
    model: Any,  # noqa: ANN401 - whatever somebody else registered
    rows: pd.DataFrame,
    spec: ModelSpec,
    *,
    seed: int,
) -> dict[str, float]:
    """The same of a model whose inside is unknown: each feature's values change places once."""
    before, chance = score(model, rows, spec).value, np.random.default_rng(seed)
    found = {}
    for feature in spec.features:
        values = feature_values(rows, feature.name).to_numpy()
        mixed = values[chance.permutation(len(rows))]
        after = score(model, rows.assign(**{feature.name: mixed}), spec).value
        if before is not None and after is not None:
            found[feature.name] = before - after
    return found


def _scorer(spec: ModelSpec) -> Callable[[Any, Numbers, Any], float]:
    def area(model: Any, table: Numbers, truth: Any) -> float:  # noqa: ANN401 - scikit-learn has no types
        of_class = truth == model.classes_[1]
        return float(roc_auc_score(of_class, model.predict_proba(table)[:, 1]))

    def metric(model: Any, table: Numbers, truth: Any) -> float:  # noqa: ANN401 - as above
        return float(_METRICS[spec.metric](truth, model.predict(table)))

    return area if spec.metric == "roc_auc" else metric


def measure(truth: "pd.Series[Any]", found: "pd.Series[Any]", spec: ModelSpec) -> float | None:
    """The metric of outputs beside the truth; None where it is undefined, or beyond all numbers."""
    if spec.metric == "roc_auc":
        truth = truth == found.name
    if truth.nunique() < 2:  # noqa: PLR2004 - nothing to tell apart
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(_METRICS[spec.metric](truth, found))
    return value if math.isfinite(value) else None


def describe(spec: ModelSpec, seed: int) -> dict[str, str | int | float]:
    """Settings of the model, as logged."""
    settings = _booster(spec, seed).get_params()
    plain = {name: settings[name] for name in ("learning_rate", "max_iter", "max_leaf_nodes")}
    return {"estimator": "HistGradientBoosting", "seed": seed, **plain}


def _untrained(spec: ModelSpec, seed: int) -> Pipeline:
    return _encoded(spec, _booster(spec, seed))


def _encoded(spec: ModelSpec, booster: Any) -> Pipeline:  # noqa: ANN401 - scikit-learn has no types
    categorical = [each.name for each in spec.features if each.kind is FeatureKind.CATEGORICAL]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=_MISSING,
        encoded_missing_value=_MISSING,
        max_categories=MOST_CATEGORIES,
    )
    encode = ColumnTransformer(
        [("categories", encoder, categorical)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    booster.set_params(categorical_features=list(range(len(categorical))))
    return Pipeline([("encode", encode), ("boost", booster)])


def _booster(spec: ModelSpec, seed: int) -> Any:  # noqa: ANN401 - scikit-learn has no types
    if spec.task is Task.REGRESSION:
        return HistGradientBoostingRegressor(early_stopping=False, random_state=seed)
    balanced = "balanced" if spec.metric == "balanced_accuracy" else None
    return HistGradientBoostingClassifier(
        early_stopping=False, random_state=seed, class_weight=balanced
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Where tables are small, threads wait for each other."""
    with _thread_pools().limit(limits=1, user_api="openmp"):
        yield


@contextmanager
def _threads(rows: int) -> Iterator[None]:
    with _thread_pools().limit(limits=1 if rows < MANY_ROWS else None, user_api="openmp"):
        yield


@cache
def _thread_pools() -> ThreadpoolController:
    """Those of the libraries loaded by now, scikit-learn's among them; looking takes a while."""
    return ThreadpoolController()
