"""Computes the likelihood of each root cause from the signals.

A cause's score multiplies what speaks for it:

- data_quality: the gravest fault, considered before anything else; the others share what is left
  of 1
- bad_release: the metric is worse, and an earlier version is better on the newest rows
- seasonality: the metric is worse, something moved, and known cases name a recurring pattern; it is
  never ruled out if the history is shorter than the year after which most patterns recur
- label_shift: the metric is worse and the target moved, the more so the less inputs moved
- covariate_shift: the metric is worse and inputs moved, the more so the less the target moved:
  inputs that move take the target with them, and a target that moves shows less in each input
- concept_drift: the metric is worse although neither inputs nor target moved
- the last three, if the loss that covariate shift explains was estimated: covariate_shift as far as
  it explains the loss, concept_drift as far as it does not, and label_shift the less, the more of a
  loss is unexplained although no input moved
- harmless: the metric is not worse; slightly less likely if something moved far
- unknown: no labels show the model's performance; an estimate without labels is half believed

Likelihoods are the squared scores over their sum: squaring lets the best supported cause lead, as
independent pieces of evidence would if each was counted twice.
"""

from policies.judgement.signals import LABEL_FREE_TRUST, Signals
from trimtab.contracts.deliberation import Cause

_SEASON_WEIGHT = 0.35
"""Weight of a season relative to the lasting change that it resembles until a year has been seen;
not more, because the right action for either is nearly the same."""
_MIN_UNKNOWN_SCORE = 0.02
"""Smallest score of the unknown cause: there is always something that the rules do not see."""


def compute_likelihoods(signals: Signals) -> dict[Cause, float]:
    """Return the likelihood of each cause, the most likely first; they sum to 1."""
    s = signals
    sound = 1.0 - s.faulty
    known_worse = sound * s.worse * (0.25 + 0.75 * s.labelled)
    still_worse = known_worse * (1.0 - s.outdone)
    moved = max(s.inputs_moved, s.target_moved)
    recurring = s.recurring * moved
    once, shares = still_worse * (1.0 - recurring), _share_single_loss(s)
    season_like = once * max(shares.values()) * _SEASON_WEIGHT * s.unseen
    scores = {
        Cause.DATA_QUALITY: s.faulty,
        Cause.BAD_RELEASE: known_worse * s.outdone,
        Cause.SEASONALITY: still_worse * recurring + season_like,
        **{cause: once * share for cause, share in shares.items()},
        Cause.HARMLESS: sound * (1.0 - s.worse) * (1.0 - 0.35 * moved) * (0.5 + 0.5 * s.labelled),
        Cause.UNKNOWN: max(_MIN_UNKNOWN_SCORE, 0.6 * sound * (1.0 - s.labelled)),
    }
    squares = {cause: score**2 for cause, score in scores.items()}
    total = sum(squares.values())
    ranked = sorted(squares, key=lambda cause: -squares[cause])
    return {cause: squares[cause] / total for cause in ranked}


def _share_single_loss(s: Signals) -> dict[Cause, float]:
    """Divide a loss that is not recurring among its causes, by what may have moved.

    If covariate shift's share of the loss was estimated, that estimate is half believed.
    """
    target_first = _compute_lead(s.target_moved, s.inputs_moved)
    by_target = s.target_moved * target_first
    by_inputs = s.inputs_moved * (1.0 - target_first)
    by_moves = {
        Cause.LABEL_SHIFT: by_target,
        Cause.COVARIATE_SHIFT: by_inputs,
        Cause.CONCEPT_DRIFT: (1.0 - s.inputs_moved) * (1.0 - s.target_moved),
    }
    if s.unexplained is None:
        return by_moves
    by_estimate = {
        Cause.LABEL_SHIFT: by_target * (1.0 - s.unexplained * (1.0 - s.inputs_moved)),
        Cause.COVARIATE_SHIFT: by_inputs * (1.0 - s.unexplained),
        Cause.CONCEPT_DRIFT: s.unexplained * (1.0 - s.target_moved * s.inputs_moved),
    }
    return {
        cause: (1.0 - LABEL_FREE_TRUST) * share + LABEL_FREE_TRUST * by_estimate[cause]
        for cause, share in by_moves.items()
    }


def _compute_lead(one: float, other: float) -> float:
    """Return the first move's share of both, each weighed by its odds.

    The odds of a move that was measured by PSI are proportional to its PSI.
    """
    first, second = one * (1.0 - other), other * (1.0 - one)
    return first / (first + second) if first + second > 0.0 else 0.5
