"""What the champion lost beyond what covariate shift explains: the mark of concept drift.

Inputs that moved into regions where the model errs more explain a loss that is expected without
labels; where the same inputs have come to mean another target, only labels show it. The loss is
split as in Cai, Namkoong and Yadlowsky (2023): what the shift of the inputs does, and the rest.
"""

from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate
from trimtab.detection.drift.standard_errors import surpasses_chance


def concept_loss(
    performance: PerformanceChange | None,
    estimate: PerformanceEstimate | None,
    *,
    error: float | None = None,
    chance: float | None = None,
) -> float | None:
    """The realised loss minus the expected one, in units of the metric; 0 where chance explains it.

    None where either is unknown or they are of different metrics. A gain that was expected and did
    not come is a loss, too. `error` is the standard error of the realised loss, on the same rows as
    the estimate: what is left of it beyond its expectation given the inputs varies no more than it
    does itself (law of total variance). `chance` as for `surpasses_chance`. A loss that is real is
    told as far as it was not expected, where the expected one may be chance.
    """
    if performance is None or estimate is None or performance.metric != estimate.metric:
        return None
    realised = performance.reference - performance.current
    unexplained = realised - (estimate.reference - estimate.estimated)
    if surpasses_chance(unexplained, estimate.error if error is None else error, chance=chance):
        return unexplained
    if performance.degraded and not estimate.degraded:
        return max(0.0, min(unexplained, realised))
    return 0.0
