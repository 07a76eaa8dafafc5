"""Ranks the possible actions by expected benefit less cost, from a deterministic cost model.

The benefit of an action is the loss that it is expected to take away in the days that follow, in
money: it helps if it fits the cause, and costs as much again if it harms. What an action costs
itself comes from the model's configuration.
"""

from typing import Final, NamedTuple

from policies.judgement.faults import rate_fault
from policies.judgement.figures import Figures, compute_loss, find_rollback_target
from policies.judgement.signals import Signal, read_signals
from trimtab.contracts.deliberation import DATA_CAUSES, Cause
from trimtab.contracts.remediation import Action

HORIZON_DAYS: Final = 7
"""Days for which the benefit of an action is counted."""
MIN_FIT: Final = 0.5
"""How well an action must fit a cause to be taken because of it, 0 to 1."""
_MAX_LOSS: Final = 10.0
"""Largest loss, in tolerances, that is counted: beyond it the model serves nobody."""
_MIN_WORSE: Final = 0.5
"""How sure a loss beyond the tolerance must be to be acted on."""
_GAIN_ERRORS: Final = 3.0
"""Standard errors that are taken off the gain of a new model."""
_PEACE: Final = 0.05
"""Worth of doing nothing where that is right, in tolerances: it lets a close call rest."""

_BROKEN: Final = tuple(cause for cause in Cause if cause in DATA_CAUSES)
"""In one order: sums of figures depend on it in their last digit."""
_FIT: Final[dict[Action, dict[Cause, float]]] = {
    Action.MONITOR: {
        Cause.HARMLESS: 1.0, Cause.DETECTOR_ARTEFACT: 0.8, Cause.UNKNOWN: 0.5,
        Cause.SEASONALITY: 0.4, Cause.PARTIAL_OUTAGE: 0.4, Cause.NO_SKILL: 0.2,
    },
    Action.WAIT: {
        Cause.UNKNOWN: 1.0, Cause.DETECTOR_ARTEFACT: 1.0, Cause.HARMLESS: 0.6,
        Cause.SEASONALITY: 0.5, Cause.PARTIAL_OUTAGE: 0.5, Cause.BROKEN_LABELS: 0.4,
    },
    Action.FIX_SOURCE: dict.fromkeys(_BROKEN, 1.0),
    Action.RETRAIN: {
        Cause.COVARIATE_SHIFT: 1.0, Cause.NEW_SEGMENT: 1.0, Cause.LABEL_SHIFT: 1.0,
        Cause.CONCEPT_DRIFT: 1.0, Cause.SEASONALITY: 0.7, Cause.NO_SKILL: 0.7,
        Cause.BAD_RELEASE: 0.4, Cause.UNKNOWN: 0.2,
    },
    Action.ROLL_BACK: {
        Cause.BAD_RELEASE: 1.0, Cause.SEASONALITY: 0.2, Cause.CONCEPT_DRIFT: 0.2,
        Cause.COVARIATE_SHIFT: 0.2, Cause.LABEL_SHIFT: 0.2,
    },
}  # fmt: skip
"""How well an action fits a cause, 0 to 1; 0 for a cause that is not listed."""
_HARM: Final[dict[Action, dict[Cause, float]]] = {
    Action.RETRAIN: {
        **dict.fromkeys(_BROKEN, 1.0), Cause.UNKNOWN: 0.5, Cause.DETECTOR_ARTEFACT: 0.5,
        Cause.SEASONALITY: 0.3, Cause.HARMLESS: 0.1,
    },
    Action.ROLL_BACK: {
        **dict.fromkeys(_BROKEN, 0.3), Cause.CONCEPT_DRIFT: 0.3, Cause.COVARIATE_SHIFT: 0.3,
        Cause.LABEL_SHIFT: 0.3, Cause.NEW_SEGMENT: 0.3, Cause.UNKNOWN: 0.5, Cause.HARMLESS: 0.3,
        Cause.DETECTOR_ARTEFACT: 0.5, Cause.NO_SKILL: 0.3,
    },
}  # fmt: skip
"""Share of a loss that an action adds where the cause is another one, 0 to 1."""


class RankedAction(NamedTuple):
    """A possible action and what is to be expected of it."""

    fitness: float
    """Likelihood that the action is right, 0 to 1."""
    benefit: float
    """Money that it is expected to save in the horizon, its own cost taken off."""


def get_fit(action: Action, cause: Cause) -> float:
    """Return how well an action fits a cause, 0 to 1."""
    return _FIT[action].get(cause, 0.0)


def compute_fitness(action: Action, likelihoods: dict[Cause, float]) -> float:
    """Return the likelihood that the action is right: its fit to each cause, weighted by that."""
    return sum(likelihoods.get(cause, 0.0) * fit for cause, fit in _FIT[action].items())


def rank_actions(figures: Figures, likelihoods: dict[Cause, float]) -> dict[Action, RankedAction]:
    """Return the possible actions: those that fit the likeliest cause, by expected benefit.

    The others follow, by their benefit: a person may know better.
    A rollback is possible only to a fit target. Retraining is never ruled out: corrupt data bars it
    without a person, and a person may know better.
    """
    possible = [Action.MONITOR, Action.WAIT, Action.FIX_SOURCE, Action.RETRAIN]
    if find_rollback_target(figures) is not None:
        possible.append(Action.ROLL_BACK)
    loss = compute_effective_loss(figures)
    ranked = {
        action: RankedAction(
            compute_fitness(action, likelihoods),
            _compute_benefit(action, figures, likelihoods, loss=loss),
        )
        for action in possible
    }
    cause = max(likelihoods, key=lambda each: likelihoods[each])
    return dict(
        sorted(
            ranked.items(), key=lambda each: (get_fit(each[0], cause) < MIN_FIT, -each[1].benefit)
        )
    )


def compute_effective_loss(figures: Figures) -> float:
    """Return the loss to expect, in tolerances: the measured one as far as it is sure.

    A loss that is rather none than one counts for nothing. Faults that corrupt the data and matter
    are worth one tolerance, whatever was measured, and a new model that is better its gain.
    """
    worse = read_signals(figures).get(Signal.WORSE, 0.0)
    measured, estimate = compute_loss(figures), figures.estimate
    if measured is None and estimate is not None:
        measured = (estimate.reference - estimate.estimated) / figures.tolerance
    known = min(max(measured or 0.0, 0.0), _MAX_LOSS) * worse if worse >= _MIN_WORSE else 0.0
    faulty = max(
        (
            rate_fault(fault) * (1.0 if fault.gravity is None else fault.gravity)
            for fault in figures.faults
            if fault.corrupt
        ),
        default=0.0,
    )
    return max(known, faulty, _measure_gain(figures))


def _measure_gain(figures: Figures) -> float:
    """Return what a new model gains for sure, in tolerances."""
    challenger = figures.signals.challenger if figures.signals else None
    if challenger is None or challenger.error is None:
        return 0.0
    sure = challenger.gain - _GAIN_ERRORS * challenger.error
    return min(max(sure / figures.tolerance, 0.0), _MAX_LOSS)


def _compute_benefit(
    action: Action, figures: Figures, likelihoods: dict[Cause, float], *, loss: float
) -> float:
    price = HORIZON_DAYS * figures.costs.degradation_per_day
    helps = compute_fitness(action, likelihoods)
    if action in {Action.MONITOR, Action.WAIT}:
        return helps * _PEACE * price
    harm = _HARM.get(action, {})
    harms = sum(likelihoods.get(cause, 0.0) * share for cause, share in harm.items())
    return (helps - harms) * loss * price - figures.costs.get_price(action)
