"""What is learnt beside a model at training time, so that its harm by drift can be told later.

All of it comes from rows held out at training time and the model that had not seen them, which
differs from the registered one by those rows alone.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue
from sklearn.model_selection import KFold

from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.fitted import IMPORTANCE_FILE, LOSS_FILE, PERFORMANCE_ESTIMATION_FILE
from trimtab.contracts.model import ModelSpec, Task
from trimtab.detection.drift.domain_classifier import sample
from trimtab.detection.performance.performance_estimation import (
    FEWEST_ROWS,
    FOLDS,
    Expectation,
    expect_by_confidence,
    expect_by_loss,
)
from trimtab.pipelines.history.rows import Table, inputs, targets
from trimtab.pipelines.scoring import estimator

MOST_ROWS: Final = 20_000
"""Held-out rows that are learnt from at most."""
WEIGHED_ROWS: Final = 2_000
"""Held-out rows on which features are weighed at most."""
KEPT_VALUES: Final = 400_000
"""Values of the reference's rows that are kept at most: about 1.6 MB."""


_LARGEST: Final = float(np.finfo("float32").max)


class Foresight(NamedTuple):
    """What is stored with the version."""

    artifacts: Mapping[str, dict[str, JsonValue]]
    companions: Mapping[str, Any]


def foresee(model: Any, held_out: Table, spec: ModelSpec, *, seed: int) -> Foresight:  # noqa: ANN401 - scikit-learn has no types
    """Weigh the features, and learn to estimate the metric; `held_out` must be clean."""
    rows = sample(held_out, MOST_ROWS, seed=seed)
    weighed = sample(held_out, WEIGHED_ROWS, seed=seed)
    expectation, companions = _expectation(model, rows, spec, seed)
    artifacts: dict[str, dict[str, JsonValue]] = {
        IMPORTANCE_FILE: dict(estimator.importances(model, weighed, spec, seed=seed))
    }
    if expectation:
        artifacts[PERFORMANCE_ESTIMATION_FILE] = expectation.model_dump(mode="json")
    return Foresight(artifacts, companions)


def reference_rows(rows: Table, spec: ModelSpec, *, seed: int) -> Table:
    """A sample of the rows that later ones are compared with, in the order of time, with times."""
    most = min(spec.sensitivity.rows_compared, KEPT_VALUES // len(spec.features))
    kept = sample(rows.sort_values(spec.timestamp, kind="stable"), most, seed=seed)
    return comparable(kept, spec).assign(**{spec.timestamp: kept[spec.timestamp]})


def comparable(rows: Table, spec: ModelSpec) -> Table:
    """The features as they are compared: numbers in single precision, categories as text.

    Numbers beyond what that holds count as the largest. What is derived from the time is left out:
    it says which window a row is from.
    """
    table = inputs(rows, spec)
    kinds = {each.name: each.kind for each in spec.features}
    numeric = [name for name, kind in kinds.items() if kind is FeatureKind.NUMERIC]
    table[numeric] = table[numeric].clip(-_LARGEST, _LARGEST)
    return table[list(kinds)].astype(dict.fromkeys(numeric, "float32"))


def _expectation(
    model: Any,  # noqa: ANN401 - as above
    rows: Table,
    spec: ModelSpec,
    seed: int,
) -> tuple[Expectation | None, Mapping[str, Any]]:
    if spec.task is Task.REGRESSION:
        return _by_loss(model, rows, spec, seed)
    scores = estimator.chances(model, rows, spec)
    if scores is None:
        return None, {}
    truth = places(estimator.classes(model), targets(rows, spec))
    known = truth >= 0  # a class that was not there to be learnt has no score
    found = expect_by_confidence(
        spec.metric,
        scores[known],
        truth[known],
        predicted=scores[known].argmax(axis=1),
        alike=estimator.alike(rows[known], spec),
        seed=seed,
    )
    return found, {}


def places(classes: Any, values: Any) -> npt.NDArray[np.int64]:  # noqa: ANN401 - arrays of text
    """Each value's place among the classes; -1 where it is none of them."""
    order = {name: place for place, name in enumerate(classes)}
    return np.array([order.get(value, -1) for value in values], dtype="int64")


def _by_loss(
    model: Any,  # noqa: ANN401 - as above
    rows: Table,
    spec: ModelSpec,
    seed: int,
) -> tuple[Expectation | None, Mapping[str, Any]]:
    predictions = estimator.predict(model, rows, spec)
    with np.errstate(over="ignore"):
        errors = (targets(rows, spec) - predictions) ** 2
        total = float(errors.sum())
    if len(rows) < FEWEST_ROWS or not 0.0 < total < np.inf:
        return None, {}
    table = estimator.loss_inputs(rows, predictions, spec)
    losses = np.empty(len(rows))
    for learnt, held in KFold(FOLDS, shuffle=True, random_state=seed).split(table):
        fold = estimator.fit_loss(table.iloc[learnt], errors.iloc[learnt], spec, seed=seed)
        losses[held] = estimator.expected_loss(fold, table.iloc[held])
    found = expect_by_loss(losses, predictions.to_numpy(), alike=estimator.alike(rows, spec))
    return found, {LOSS_FILE: estimator.fit_loss(table, errors, spec, seed=seed)}
