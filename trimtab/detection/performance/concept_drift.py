"""Measures the loss that covariate shift does not explain: the mark of concept drift.

A loss that is expected without labels is explained by inputs that moved to regions where the model
errs more. If the same inputs have come to mean another target, only labels show it. The loss is
split as in Cai, Namkoong and Yadlowsky (2023): the effect of the shift of the inputs, and the rest.
"""

from typing import Final

from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate
from trimtab.contracts.window_signals import SupportSplit
from trimtab.detection.drift.standard_errors import is_significant_loss

MIN_SHARE_OUTSIDE: Final = 0.02
"""Share of rows without support from which the loss is split by it."""


def compute_concept_loss(
    performance: PerformanceChange | None,
    estimate: PerformanceEstimate | None,
    *,
    error: float | None = None,
    alpha: float | None = None,
    support: SupportSplit | None = None,
) -> float | None:
    """Return the realised loss minus the expected one, in units of the metric.

    If `support` says that part of the rows are unlike the training's, it is the loss on the others:
    what a model does where it has learned nothing says nothing about the concept.

    It is 0 if chance explains it, and None if either loss is unknown or they are of different
    metrics. A gain that was expected and did not come is a loss as well.

    `error` is the standard error of the realised loss, on the rows of the estimate. The part of
    the loss beyond its expectation given the inputs varies no more than the loss itself (law of
    total variance). `alpha` as for `is_significant_loss`. A realised loss that is significant
    counts as far as it was not expected, if the expected loss may be chance.
    """
    if performance is None or estimate is None or performance.metric != estimate.metric:
        return None
    if support is not None and support.share_outside >= MIN_SHARE_OUTSIDE:
        return _compute_supported_loss(support, error=error, alpha=alpha)
    realised = performance.reference - performance.current
    unexplained = realised - (estimate.reference - estimate.estimated)
    known_error = estimate.error if error is None else error
    if is_significant_loss(unexplained, known_error, alpha=alpha):
        return unexplained
    if performance.degraded and not estimate.degraded:
        return max(0.0, min(unexplained, realised))
    return 0.0


def _compute_supported_loss(
    support: SupportSplit, *, error: float | None, alpha: float | None
) -> float | None:
    """Return the loss on rows like the training's; None if they are too few to measure it."""
    if support.inside is None or support.inside_reference is None:
        return None
    loss = support.inside_reference - support.inside
    errors = [each for each in (error, support.inside_error) if each is not None]
    return loss if is_significant_loss(loss, max(errors, default=None), alpha=alpha) else 0.0
