"""The metric expected without labels is the one that comes, if only the inputs move."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from trimtab.detection.performance.calibration_curve import (
    MAX_CURVE_POINTS,
    calibrate_probabilities,
)
from trimtab.detection.performance.cbpe import estimate_by_cbpe, fit_cbpe_reference
from trimtab.detection.performance.dle import build_dle_reference, estimate_by_dle
from trimtab.detection.performance.performance_estimation import (
    EstimationReference,
    MetricEstimate,
)
from trimtab.detection.profiles.arrays import FloatArray, IntArray


def two_classes(rows: int, *, centre: float = 0.0, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Return overconfident scores of two classes, and the truth; `centre` shifts the inputs."""
    random = np.random.default_rng(seed)
    inputs = random.normal(centre, 1.5, rows)
    truth = (random.random(rows) < 1.0 / (1.0 + np.exp(-inputs))).astype("int64")
    likely = 1.0 / (1.0 + np.exp(-3.0 * inputs))
    return np.column_stack([1.0 - likely, likely]), truth


def realised(metric: str, scores: FloatArray, truth: IntArray) -> float:
    if metric == "roc_auc":
        return float(roc_auc_score(truth, scores[:, 1]))
    return float(balanced_accuracy_score(truth, scores.argmax(axis=1)))


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
@pytest.mark.parametrize("centre", [0.0, 1.5])
def test_the_estimated_metric_is_the_realised_one(metric: str, centre: float) -> None:
    held_out, labels = two_classes(6000)
    known = fit_cbpe_reference(metric, held_out, labels, predicted=held_out.argmax(axis=1))
    scores, truth = two_classes(6000, centre=centre, seed=1)

    assert known is not None
    found = estimate_by_cbpe(
        metric,
        scores,
        calibrate_probabilities(scores, known.curves),
        predicted=scores.argmax(axis=1),
    )

    assert found is not None
    assert found.value == pytest.approx(realised(metric, scores, truth), abs=0.02)


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
def test_the_reference_is_estimated_on_rows_it_was_not_calibrated_on(metric: str) -> None:
    scores, truth = two_classes(6000)

    known = fit_cbpe_reference(metric, scores, truth, predicted=scores.argmax(axis=1))

    assert known is not None
    assert known.reference == pytest.approx(realised(metric, scores, truth), abs=0.015)
    assert 0.0 < known.error < 0.02


def test_with_certain_probabilities_the_estimate_is_exact() -> None:
    scores, truth = two_classes(500)
    certain = np.column_stack([1.0 - truth, truth]).astype("float64")
    predicted = scores.argmax(axis=1)

    area = estimate_by_cbpe("roc_auc", scores, certain, predicted=predicted)
    recall = estimate_by_cbpe("balanced_accuracy", scores, certain, predicted=predicted)

    assert area is not None
    assert recall is not None
    assert area.value == pytest.approx(roc_auc_score(truth, scores[:, 1]))
    assert recall.value == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_each_of_three_classes_is_calibrated_and_probabilities_sum_to_one() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 3000)
    scores = random.dirichlet([1.0, 1.0, 1.0], 3000) + 1.5 * np.eye(3)[truth]
    scores /= scores.sum(axis=1, keepdims=True)

    known = fit_cbpe_reference("balanced_accuracy", scores, truth, predicted=scores.argmax(axis=1))

    assert known is not None
    assert len(known.curves) == 3
    assert calibrate_probabilities(scores, known.curves).sum(axis=1) == pytest.approx(np.ones(3000))
    assert known.reference == pytest.approx(realised("balanced_accuracy", scores, truth), abs=0.02)


def test_the_standard_error_is_the_spread_of_repetitions() -> None:
    held_out, labels = two_classes(6000)
    known = fit_cbpe_reference("roc_auc", held_out, labels, predicted=held_out.argmax(axis=1))
    assert known is not None

    def once(seed: int) -> MetricEstimate:
        scores, _ = two_classes(800, seed=seed)
        probabilities = calibrate_probabilities(scores, known.curves)
        found = estimate_by_cbpe("roc_auc", scores, probabilities, predicted=labels[:800])
        assert found is not None
        return found

    repeats = [once(seed) for seed in range(2, 42)]
    spread = float(np.std([each.value for each in repeats]))
    assert np.mean([each.error for each in repeats]) == pytest.approx(spread, rel=0.4)


def test_too_few_rows_or_one_class_give_no_estimate() -> None:
    scores, truth = two_classes(200)
    predicted = scores.argmax(axis=1)

    assert fit_cbpe_reference("roc_auc", scores[:99], truth[:99], predicted=predicted) is None
    assert fit_cbpe_reference("roc_auc", scores, truth * 0, predicted=predicted) is None
    assert estimate_by_cbpe("roc_auc", scores[:9], scores[:9], predicted=predicted) is None
    assert estimate_by_dle(np.ones(9), np.ones(9)) is None
    assert estimate_by_dle(np.zeros(200), np.ones(200)) is None
    assert build_dle_reference(np.ones(9), np.ones(9)) is None


def test_a_reference_survives_json_and_is_compact() -> None:
    scores, truth = two_classes(5000)
    known = fit_cbpe_reference("roc_auc", scores, truth, predicted=scores.argmax(axis=1))
    assert known is not None

    assert EstimationReference.model_validate_json(known.model_dump_json()) == known
    assert max(len(curve.scores) for curve in known.curves) <= MAX_CURVE_POINTS
    assert len(known.model_dump_json()) < 40_000
