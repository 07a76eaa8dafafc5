"""Measures what makes a cause and an action sure, from measurements alone.

Each part is between 0 and 1, and more of it never makes a plan less likely to be right: that is
what lets the calibration be monotone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.judgement.figures import Figures, KnownCase, saturate_sharply
from policies.judgement.signals import Signal, Signals, read_signals
from policies.second_opinion import SecondOpinion
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.evidence import DocumentKind
from trimtab.contracts.remediation import Action

_RELATED_SIMILARITY: Final = 0.25
"""Cosine similarity below which a document is unrelated to the incident."""
_SURE_ERRORS: Final = 2.0
"""Standard errors of a new model's gain that are worth one half."""
_LASTING_WINDOWS: Final = 3
"""Windows in a row after which a loss is no accident."""
_DECISIVE: Final = (
    Signal.UNIT, Signal.MISSING, Signal.SCHEMA, Signal.STALE, Signal.OUTAGE, Signal.LABELS,
    Signal.IMPOSSIBLE, Signal.UNLEARNABLE, Signal.RELEASED, Signal.NEW_ROWS, Signal.SEASON,
)  # fmt: skip
"""Signals that single out a cause."""


class AssurancePart(NamedTuple):
    """One measured part of the confidence."""

    name: str
    value: float
    """0 (nothing speaks for the plan) to 1."""
    reason: str


def measure_assurance(
    opinion: SecondOpinion,
    figures: Figures,
    *,
    cause: Cause,
    action: Action,
) -> tuple[AssurancePart, ...]:
    """Return the parts for a plan because of a cause, whoever proposes it."""
    signals = read_signals(figures)
    likelihood = opinion.likelihoods[cause]
    others = max(value for each, value in opinion.likelihoods.items() if each is not cause)
    ranked = opinion.ranked.get(action)
    fitness = ranked.fitness if ranked else 0.0
    worse = signals.get(Signal.WORSE, 0.5)
    labels = 1.0 - signals.get(Signal.UNLABELLED, 1.0)
    decisive = max((signals.get(each, 0.0) for each in _DECISIVE), default=0.0)
    windows = figures.performance.windows if figures.performance else 0
    lasted = min(windows, _LASTING_WINDOWS) / _LASTING_WINDOWS
    record, tried = _rate_record(figures.cases, action)
    return (
        AssurancePart("likelihood", likelihood, f"the rules give {cause} {likelihood:.2f}"),
        AssurancePart("lead", max(0.0, likelihood - others), f"the next cause has {others:.2f}"),
        AssurancePart("fitness", min(1.0, fitness), f"{action} is right with {fitness:.2f}"),
        AssurancePart(
            "certainty", abs(2.0 * worse - 1.0), f"a loss beyond the tolerance: {worse:.2f}"
        ),
        AssurancePart("labels", labels, "by the number of labelled rows"),
        AssurancePart("decisive", decisive, "the clearest sign of a single cause"),
        AssurancePart("lasting", lasted, f"{windows} windows in a row with a loss"),
        AssurancePart(
            "remedy",
            _rate_remedy(figures, signals, action=action, decisive=decisive),
            f"what was measured of {action}",
        ),
        AssurancePart("record", record, f"{action} was tried in {tried} similar incidents"),
    )


def _rate_remedy(figures: Figures, signals: Signals, *, action: Action, decisive: float) -> float:
    """Return how far measurements show that the action is what helps.

    A retraining helps if a model of the newest rows is better, and doing nothing if nothing is
    lost; for the others the decisive sign is what they mend.
    """
    if action in {Action.MONITOR, Action.WAIT}:
        return 1.0 - signals.get(Signal.WORSE, 0.5)
    if action is not Action.RETRAIN:
        return decisive
    challenger = figures.signals.challenger if figures.signals else None
    if challenger is None or not challenger.error:
        return 0.0
    return saturate_sharply(max(challenger.gain, 0.0), half_at=_SURE_ERRORS * challenger.error)


def _rate_record(cases: Sequence[KnownCase], action: Action) -> tuple[float, int]:
    """Return how often the action helped in similar observed incidents, and how often it was tried.

    Laplace's rule of succession. Worked examples count for nothing: nobody lived them.
    """
    tried = [
        case
        for case in cases
        if case.kind is DocumentKind.INCIDENT
        and case.observed
        and case.action == action
        and case.succeeded is not None
        and case.similarity >= _RELATED_SIMILARITY
    ]
    helped = sum(bool(case.succeeded) for case in tried)
    return (helped + 1) / (len(tried) + 2), len(tried)
