"""What is expected without labels is what comes, as long as only the inputs move."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from trimtab.detection.performance.calibration_curve import (
    MAX_CURVE_POINTS,
    CalibrationCurve,
    calibrate_probabilities,
)
from trimtab.detection.performance.cbpe import estimate_by_cbpe, fit_cbpe_reference
from trimtab.detection.performance.dle import build_dle_reference, estimate_by_dle
from trimtab.detection.performance.performance_estimation import (
    EstimationReference,
    MetricEstimate,
)

Numbers = np.typing.NDArray[np.float64]
Codes = np.typing.NDArray[np.int64]


def two_classes(rows: int, *, centre: float = 0.0, seed: int = 0) -> tuple[Numbers, Codes]:
    """Overconfident scores of two classes, and the truth; `centre` moves the inputs."""
    random = np.random.default_rng(seed)
    inputs = random.normal(centre, 1.5, rows)
    truth = (random.random(rows) < 1.0 / (1.0 + np.exp(-inputs))).astype("int64")
    likely = 1.0 / (1.0 + np.exp(-3.0 * inputs))
    return np.column_stack([1.0 - likely, likely]), truth


def realised(metric: str, scores: Numbers, truth: Codes) -> float:
    if metric == "roc_auc":
        return float(roc_auc_score(truth, scores[:, 1]))
    return float(balanced_accuracy_score(truth, scores.argmax(axis=1)))


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy"])
@pytest.mark.parametrize("centre", [0.0, 1.5])
def test_the_expected_metric_is_the_one_that_comes(metric: str, centre: float) -> None:
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


def test_with_certain_chances_the_expected_metric_is_the_realised_one() -> None:
    scores, truth = two_classes(500)
    certain = np.column_stack([1.0 - truth, truth]).astype("float64")
    predicted = scores.argmax(axis=1)

    area = estimate_by_cbpe("roc_auc", scores, certain, predicted=predicted)
    recall = estimate_by_cbpe("balanced_accuracy", scores, certain, predicted=predicted)

    assert area is not None
    assert recall is not None
    assert area.value == pytest.approx(roc_auc_score(truth, scores[:, 1]))
    assert recall.value == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_three_classes_are_calibrated_each_and_chances_add_up() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 3000)
    scores = random.dirichlet([1.0, 1.0, 1.0], 3000) + 1.5 * np.eye(3)[truth]
    scores /= scores.sum(axis=1, keepdims=True)

    known = fit_cbpe_reference("balanced_accuracy", scores, truth, predicted=scores.argmax(axis=1))

    assert known is not None
    assert len(known.curves) == 3
    assert calibrate_probabilities(scores, known.curves).sum(axis=1) == pytest.approx(np.ones(3000))
    assert known.reference == pytest.approx(realised("balanced_accuracy", scores, truth), abs=0.02)


def test_the_error_is_the_spread_of_repeats() -> None:
    held_out, labels = two_classes(6000)
    known = fit_cbpe_reference("roc_auc", held_out, labels, predicted=held_out.argmax(axis=1))
    assert known is not None

    def once(seed: int) -> MetricEstimate:
        scores, _ = two_classes(800, seed=seed)
        chances = calibrate_probabilities(scores, known.curves)
        found = estimate_by_cbpe("roc_auc", scores, chances, predicted=labels[:800])
        assert found is not None
        return found

    repeats = [once(seed) for seed in range(2, 42)]
    spread = float(np.std([each.value for each in repeats]))
    assert np.mean([each.error for each in repeats]) == pytest.approx(spread, rel=0.4)


def regression(rows: int, *, noisy: float, seed: int = 0) -> tuple[Numbers, Numbers, Numbers]:
    """Predictions, their true mean squared error per row, and targets."""
    random = np.random.default_rng(seed)
    predictions = random.normal(0.0, 2.0, rows)
    scale = np.where(random.random(rows) < noisy, 2.0, 0.5)
    return predictions, scale**2, predictions + random.normal(0.0, scale)


@pytest.mark.parametrize("noisy", [0.1, 0.7])
def test_r2_is_expected_as_it_comes_where_noisy_rows_become_more(noisy: float) -> None:
    predictions, losses, targets = regression(8000, noisy=noisy)

    found = estimate_by_dle(losses, predictions)

    r2 = 1.0 - ((targets - predictions) ** 2).mean() / targets.var()
    assert found is not None
    assert found.value == pytest.approx(r2, abs=0.02)


def test_a_loss_beyond_tolerance_and_chance_is_expected_to_hurt() -> None:
    good, bad = (regression(4000, noisy=noisy)[:2] for noisy in (0.1, 0.7))
    known, later = build_dle_reference(good[1], good[0]), estimate_by_dle(bad[1], bad[0])
    assert known is not None
    assert later is not None

    estimate = known.compare(later, tolerance=0.02)

    assert estimate.method == "direct_loss"
    assert estimate.degraded
    assert estimate.error is not None
    assert estimate.error > later.error
    assert not known.compare(later, tolerance=0.9).degraded


def test_a_loss_within_chance_is_not_believed() -> None:
    known = EstimationReference(metric="r2", method="direct_loss", reference=0.9, error=0.05)

    assert not known.compare(MetricEstimate(0.82, 0.05, 100), tolerance=0.02).degraded
    assert known.compare(MetricEstimate(0.7, 0.05, 100), tolerance=0.02).degraded


def test_rows_that_resemble_each_other_count_as_one() -> None:
    predictions, losses, _ = regression(2000, noisy=0.3)
    groups = pd.Series(np.arange(2000))
    twice = [np.repeat(values, 2) for values in (losses, predictions)]

    once, naive = estimate_by_dle(losses, predictions), estimate_by_dle(*twice)
    honest = estimate_by_dle(*twice, clusters=[groups.repeat(2)])

    assert once is not None
    assert naive is not None
    assert honest is not None
    assert honest.error == pytest.approx(once.error, rel=0.01)
    assert naive.error < 0.8 * once.error


def test_too_few_rows_or_one_class_give_nothing() -> None:
    scores, truth = two_classes(200)
    predicted = scores.argmax(axis=1)

    assert fit_cbpe_reference("roc_auc", scores[:99], truth[:99], predicted=predicted) is None
    assert fit_cbpe_reference("roc_auc", scores, truth * 0, predicted=predicted) is None
    assert estimate_by_cbpe("roc_auc", scores[:9], scores[:9], predicted=predicted) is None
    assert estimate_by_dle(np.ones(9), np.ones(9)) is None
    assert estimate_by_dle(np.zeros(200), np.ones(200)) is None
    assert build_dle_reference(np.ones(9), np.ones(9)) is None


def test_an_expectation_survives_being_stored() -> None:
    scores, truth = two_classes(5000)
    known = fit_cbpe_reference("roc_auc", scores, truth, predicted=scores.argmax(axis=1))
    assert known is not None

    assert EstimationReference.model_validate_json(known.model_dump_json()) == known
    assert max(len(curve.scores) for curve in known.curves) <= MAX_CURVE_POINTS
    assert len(known.model_dump_json()) < 40_000


def test_beyond_its_ends_a_curve_is_flat() -> None:
    curve = CalibrationCurve(scores=(0.2, 0.6), probabilities=(0.1, 0.9))

    assert curve.interpolate(np.array([0.0, 0.4, 1.0])) == pytest.approx([0.1, 0.5, 0.9])
