"""Confidence-based performance estimation (CBPE): the expected metric of a classifier.

A row counts as of each class by its calibrated probability (Bialek, Kivimaki, Kuberski and
Perrakis, 2024, who compare this estimate with others).
"""

import numpy as np
from sklearn.model_selection import KFold

from trimtab.detection.drift.standard_errors import ClusterLabels
from trimtab.detection.performance.calibration_curve import (
    calibrate_probabilities,
    fit_curves,
)
from trimtab.detection.performance.performance_estimation import (
    ESTIMATION_FOLDS,
    MIN_ROWS_TO_ESTIMATE,
    EstimationReference,
    MetricEstimate,
    build_metric_estimate,
)
from trimtab.detection.performance.rare_classes import MIN_RARE_CLASS_ROWS, compute_class_error
from trimtab.detection.profiles.arrays import FloatArray, IntArray


def fit_cbpe_reference(
    metric: str,
    scores: FloatArray,
    truth: IntArray,
    *,
    predicted: IntArray,
    clusters: ClusterLabels = (),
    seed: int = 0,
) -> EstimationReference | None:
    """Calibrate the scores of held-out rows; None if they, or those of a class, are too few.

    The error counts the rows of the rarest class, which the calibration is learnt from. `scores`
    has shape (rows, classes); `truth` and `predicted` hold class indices. `clusters` as for
    `compute_clustered_error`.
    """
    _, sizes = np.unique(truth, return_counts=True)
    if len(truth) < MIN_ROWS_TO_ESTIMATE or len(sizes) <= 1 or min(sizes) < MIN_RARE_CLASS_ROWS:
        return None
    probabilities = np.empty_like(scores)
    folds = KFold(ESTIMATION_FOLDS, shuffle=True, random_state=seed)
    for learned, held_out in folds.split(scores):
        curves = fit_curves(scores[learned], truth[learned])
        probabilities[held_out] = calibrate_probabilities(scores[held_out], curves)
    estimate = estimate_by_cbpe(
        metric, scores, probabilities, predicted=predicted, clusters=clusters
    )
    return estimate and EstimationReference(
        metric=metric,
        method="confidence_based",
        reference=estimate.value,
        error=max(estimate.error, _compute_least_error(metric, scores, truth, predicted)),
        curves=fit_curves(scores, truth),
    )


def _compute_least_error(
    metric: str, scores: FloatArray, truth: IntArray, predicted: IntArray
) -> float:
    if metric == "roc_auc":
        return compute_class_error(metric, truth == 1, scores[:, 1])
    return compute_class_error(metric, truth, predicted)


def estimate_by_cbpe(
    metric: str,
    scores: FloatArray,
    probabilities: FloatArray,
    *,
    predicted: IntArray,
    clusters: ClusterLabels = (),
) -> MetricEstimate | None:
    """Return the metric that calibrated probabilities predict.

    None if it is undefined or the rows are fewer than 100. `scores` and `probabilities` have shape
    (rows, classes); `predicted` holds class indices.
    """
    if len(probabilities) < MIN_ROWS_TO_ESTIMATE:
        return None
    if metric == "roc_auc":
        return _estimate_auc(scores[:, 1], probabilities[:, 1], clusters)
    return _estimate_balanced_accuracy(probabilities, predicted, clusters)


def _estimate_auc(
    scores: FloatArray, probabilities: FloatArray, clusters: ClusterLabels
) -> MetricEstimate | None:
    """Count every row as positive by its probability, and as negative by the rest."""
    positive, negative = probabilities.sum(), (1.0 - probabilities).sum()
    if min(positive, negative) <= 0.0:
        return None
    above = _sum_weights_below(scores, 1.0 - probabilities) / negative
    below = 1.0 - _sum_weights_below(scores, probabilities) / positive
    area = float((probabilities * above).sum() / positive)
    rows = len(scores)
    influence = rows * (
        probabilities * (above - area) / positive
        + (1.0 - probabilities) * (below - area) / negative
    )
    return build_metric_estimate(area, influence, clusters)


def _sum_weights_below(scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weight of the rows with a lower score, plus half that of rows with the same."""
    values, index = np.unique(scores, return_inverse=True)
    tied = np.bincount(index, weights=weights, minlength=len(values))
    below: FloatArray = (np.cumsum(tied) - tied / 2.0)[index]
    return below


def _estimate_balanced_accuracy(
    probabilities: FloatArray, predicted: IntArray, clusters: ClusterLabels
) -> MetricEstimate | None:
    """Average the classes' recalls, counting a row as of each class by its probability."""
    expected = probabilities.sum(axis=0)
    right = predicted[:, None] == np.arange(probabilities.shape[1])
    occurs = expected > 0.0
    if not occurs.any():
        return None
    recalls = (probabilities * right).sum(axis=0)[occurs] / expected[occurs]
    influences = (probabilities[:, occurs] * (right[:, occurs] - recalls)) / expected[occurs]
    influence = len(probabilities) * influences.mean(axis=1)
    return build_metric_estimate(float(recalls.mean()), influence, clusters)
