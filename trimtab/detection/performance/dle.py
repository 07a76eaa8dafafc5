"""Direct loss estimation (DLE): the expected R² of a regressor.

A second model has learned the squared error of the first one (a learned loss: Yoo and Kweon, 2019;
as a secondary predictor of error: Lahlou et al., 2023).
"""

from trimtab.detection.drift.standard_errors import ClusterLabels
from trimtab.detection.performance.performance_estimation import (
    MIN_ROWS_TO_ESTIMATE,
    EstimationReference,
    MetricEstimate,
    build_metric_estimate,
)
from trimtab.detection.profiles.arrays import FloatArray


def build_dle_reference(
    losses: FloatArray, predictions: FloatArray, *, clusters: ClusterLabels = ()
) -> EstimationReference | None:
    """Return the reference from losses predicted for held-out rows; None if they are too few.

    The model that predicted `losses`, one a row, must not have learned from these rows.
    """
    estimate = estimate_by_dle(losses, predictions, clusters=clusters)
    return estimate and EstimationReference(
        metric="r2", method="direct_loss", reference=estimate.value, error=estimate.error
    )


def estimate_by_dle(
    losses: FloatArray, predictions: FloatArray, *, clusters: ClusterLabels = ()
) -> MetricEstimate | None:
    """Return the expected R² if each row's expected squared error is its loss.

    None if the rows are fewer than 100 or nothing varies. The variance of the targets is unknown
    without targets; it is taken as the variance of the predictions plus the mean loss, as for a
    model that predicts the conditional mean (law of total variance).
    """
    if len(losses) < MIN_ROWS_TO_ESTIMATE:
        return None
    loss, spread = losses.mean(), predictions.var()
    total = loss + spread
    if total <= 0.0:
        return None
    deviation = (predictions - predictions.mean()) ** 2 - spread
    influence = (loss * deviation - spread * (losses - loss)) / total**2
    return build_metric_estimate(float(1.0 - loss / total), influence, clusters)
