"""Measures the loss that covariate shift does not explain: the mark of concept drift.

A loss that is expected without labels is explained by inputs that moved to regions where the model
errs more. If the same inputs have come to mean another target, only labels show it. The loss is
split as in Cai, Namkoong and Yadlowsky (2023): the effect of the shift of the inputs, and the rest.
"""

from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate
from trimtab.detection.drift.standard_errors import is_significant_loss


def compute_concept_loss(
    performance: PerformanceChange | None,
    estimate: PerformanceEstimate | None,
    *,
    error: float | None = None,
    alpha: float | None = None,
) -> float | None:
    """Return the realised loss minus the expected one, in units of the metric.

    It is 0 if chance explains it, and None if either loss is unknown or they are of different
    metrics. A gain that was expected and did not come is a loss as well.

    `error` is the standard error of the realised loss, on the rows of the estimate. The part of
    the loss beyond its expectation given the inputs varies no more than the loss itself (law of
    total variance). `alpha` as for `is_significant_loss`. A realised loss that is significant
    counts as far as it was not expected, if the expected loss may be chance.
    """
    if performance is None or estimate is None or performance.metric != estimate.metric:
        return None
    realised = performance.reference - performance.current
    unexplained = realised - (estimate.reference - estimate.estimated)
    known_error = estimate.error if error is None else error
    if is_significant_loss(unexplained, known_error, alpha=alpha):
        return unexplained
    if performance.degraded and not estimate.degraded:
        return max(0.0, min(unexplained, realised))
    return 0.0
