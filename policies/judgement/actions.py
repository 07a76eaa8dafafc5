"""Rates the possible actions by how well they fit the likely causes."""

from policies.judgement.figures import Figures, find_rollback_target
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.remediation import Action

_FIT: dict[Action, dict[Cause, float]] = {
    Action.MONITOR: {Cause.HARMLESS: 1.0, Cause.DATA_QUALITY: 0.9, Cause.UNKNOWN: 0.7,
                     Cause.SEASONALITY: 0.3},
    Action.WAIT: {Cause.UNKNOWN: 0.7},
    Action.FIX_SOURCE: {Cause.DATA_QUALITY: 1.0},
    Action.RETRAIN: {Cause.COVARIATE_SHIFT: 1.0, Cause.LABEL_SHIFT: 1.0, Cause.CONCEPT_DRIFT: 1.0,
                     Cause.SEASONALITY: 0.7, Cause.BAD_RELEASE: 0.4, Cause.UNKNOWN: 0.2},
    Action.ROLL_BACK: {Cause.BAD_RELEASE: 1.0, Cause.SEASONALITY: 0.2, Cause.CONCEPT_DRIFT: 0.2,
                       Cause.COVARIATE_SHIFT: 0.2, Cause.LABEL_SHIFT: 0.2},
}  # fmt: skip
"""How well an action fits a cause, 0 to 1; 0 for a cause that is not listed."""


def get_fit(action: Action, cause: Cause) -> float:
    """Return how well an action fits a cause, 0 to 1."""
    return _FIT[action].get(cause, 0.0)


def compute_fitness(action: Action, likelihoods: dict[Cause, float]) -> float:
    """Return the likelihood that the action is right: its fit to each cause, weighted by that."""
    return sum(likelihoods.get(cause, 0.0) * fit for cause, fit in _FIT[action].items())


def rank_actions(figures: Figures, likelihoods: dict[Cause, float]) -> dict[Action, float]:
    """Return the fitness of each possible action, the fittest first.

    Retraining is impossible on corrupt data, and a rollback without a fit target.
    """
    possible = [Action.MONITOR]
    if not any(fault.corrupt for fault in figures.faults):
        possible.append(Action.RETRAIN)
    if find_rollback_target(figures) is not None:
        possible.append(Action.ROLL_BACK)
    fit = {action: compute_fitness(action, likelihoods) for action in possible}
    return {action: fit[action] for action in sorted(possible, key=lambda each: -fit[each])}
