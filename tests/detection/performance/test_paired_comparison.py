"""Paired comparisons: intervals hold as often as they say, and the error counts what is rare."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.detection.performance.paired_comparison import MAX_BOOTSTRAP_ROWS, compare_outputs
from trimtab.detection.performance.skill_floor import compute_skill_floor


def _make_regression(rows: int, *, noise: tuple[float, float], seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    truth, shared = random.normal(size=rows), random.normal(size=rows)
    outputs = [truth + each * (shared + random.normal(size=rows)) for each in noise]
    return pd.Series(truth), tuple(map(pd.Series, outputs))


def test_equal_models_do_not_differ() -> None:
    truth, (first, _) = _make_regression(100, noise=(0.3, 0.3))

    found = compare_outputs("r2", truth, (first, first))

    assert found is not None
    assert (found.before, found.error, found.low, found.high) == (found.after, 0.0, 0.0, 0.0)


def test_the_interval_of_equally_good_models_holds_as_often_as_it_says() -> None:
    missed = 0
    for seed in range(200):
        truth, outputs = _make_regression(150, noise=(0.4, 0.4), seed=seed)
        found = compare_outputs("r2", truth, outputs, seed=seed)
        assert found is not None
        missed += found.low > 0.0

    assert 8 <= missed <= 34


def test_a_better_model_is_seen_through_what_makes_rows_hard_for_both() -> None:
    truth, outputs = _make_regression(120, noise=(0.6, 0.4))

    found = compare_outputs("r2", truth, outputs)

    assert found is not None
    assert found.low > 0.0
    assert found.after_low < found.after < found.after_high <= 1.0


def test_rows_that_resemble_their_neighbours_make_the_interval_wider() -> None:
    random = np.random.default_rng(1)
    hours = np.repeat(np.arange(12), 10)
    truth = pd.Series(random.normal(size=120))
    bias = random.normal(size=12)[hours]
    outputs = (truth + bias, truth + random.normal(size=120) * 0.8)

    alone = compare_outputs("r2", truth, outputs)
    clustered = compare_outputs("r2", truth, outputs, clusters=[pd.Series(hours)])

    assert alone is not None
    assert clustered is not None
    assert clustered.error > 1.3 * alone.error


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
def test_a_classifier_s_error_counts_the_rarest_class(metric: str) -> None:
    random = np.random.default_rng(2)
    truth = pd.Series(np.arange(1000) < 20)
    first, second = (pd.Series(truth + random.normal(size=1000)) for _ in range(2))
    if metric == "balanced_accuracy":
        first, second = first > 0.5, second > 0.5

    found = compare_outputs(metric, truth, (first, second))

    assert found is not None
    assert found.rarest == 20
    assert 0.03 < found.error < 0.2


def test_the_bootstrap_agrees_with_the_influence_function_on_many_rows() -> None:
    truth, outputs = _make_regression(MAX_BOOTSTRAP_ROWS + 1, noise=(0.5, 0.4))
    drawn = compare_outputs("r2", truth[:-1], (outputs[0][:-1], outputs[1][:-1]))
    derived = compare_outputs("r2", truth, outputs)

    assert drawn is not None
    assert derived is not None
    assert drawn.error == pytest.approx(derived.error, rel=0.15)


@pytest.mark.parametrize(("metric", "truth"), [("r2", [1.0] * 40), ("rmse", [1.0, 2.0] * 20)])
def test_an_undefined_metric_compares_nothing(metric: str, truth: list[float]) -> None:
    outputs = pd.Series(np.arange(40.0))

    assert compare_outputs(metric, pd.Series(truth), (outputs, outputs)) is None


@pytest.mark.parametrize(
    ("metric", "classes", "reference", "floor"),
    [
        ("r2", 0, 0.9, 0.1),
        ("r2", 0, None, 0.1),
        ("r2", 0, 0.12, 0.06),
        ("r2", 0, -0.5, 0.0),
        ("roc_auc", 2, 0.8, 0.55),
        ("roc_auc", 2, 0.54, 0.52),
        ("balanced_accuracy", 4, 0.7, 0.3),
    ],
)
def test_the_floor_is_above_a_trivial_model(
    metric: str, classes: int, reference: float | None, floor: float
) -> None:
    found = compute_skill_floor(metric, classes=classes, reference=reference)

    assert found == pytest.approx(floor)
