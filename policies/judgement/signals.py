"""Turns figures into signals, each between 0 (no sign of it) and 1 (beyond doubt).

Each rule maps a margin to a number that grows smoothly with it: clear cases come out clear, and
close ones close. Nothing here is learnt, and every constant has its reason.
"""

import math
from typing import NamedTuple

from policies.judgement.figures import (
    Figures,
    KnownCase,
    compute_gravity,
    compute_largest_psi,
    compute_loss,
    compute_unseen_season,
    find_better_version,
    get_champion_metric,
    saturate,
)
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import FeatureRole

LABEL_FREE_TRUST = 0.5
"""How far an estimate without labels is believed, relative to labels."""

_LARGE_PSI = 0.2
"""PSI that is commonly called a large move: worth one half."""
_STEEPNESS = 3.0
"""A metric that is one tolerance down is worth one half, two tolerances down 0.95."""
_FEW_LABELS = 50
"""Number of labelled rows at which the metric is believed by half."""
_RELATED_SIMILARITY, _SAME_SIMILARITY = 0.3, 0.8
"""Similarity of an unrelated document, and of a document about this very case."""
_CLEAR_SEPARATION = 0.2
"""Gini coefficient (2 AUC - 1) of the domain classifier at which inputs moved: worth one half."""
_FAILED_ACTION_WEIGHT = 0.5
"""Weight of a past incident whose action did not help."""


class Signals(NamedTuple):
    """The signals in an incident's figures."""

    worse: float
    """The metric lost more than its tolerance; one half without labels."""
    labelled: float
    """How far the labels can be relied on."""
    faulty: float
    """The data itself is broken."""
    inputs_moved: float
    target_moved: float
    outdone: float
    """An earlier version is better than the champion on the newest rows."""
    recurring: float
    """Similar known cases name a recurring pattern."""
    unexplained: float | None = None
    """Share of the loss that covariate shift does not explain; None if it was not estimated."""
    unseen: float = 0.0
    """Share of a year that the champion has not seen."""


def read_signals(figures: Figures) -> Signals:
    """Return the signals in an incident's figures."""
    labelled, worse = _read_performance(figures)
    return Signals(
        worse=worse,
        labelled=labelled,
        faulty=max(map(compute_gravity, figures.faults), default=0.0),
        inputs_moved=_read_input_move(figures),
        target_moved=_read_move(figures, FeatureRole.TARGET),
        outdone=_read_better_version(figures),
        recurring=_read_known_cause(figures.cases, Cause.SEASONALITY),
        unexplained=_read_unexplained_loss(figures),
        unseen=compute_unseen_season(figures),
    )


def _read_input_move(figures: Figures) -> float:
    """Return how far inputs moved, one by one or taken together."""
    single = _read_move(figures, FeatureRole.FEATURE)
    if figures.classifier_low is None:
        return single
    separation = 2.0 * figures.classifier_low - 1.0
    return max(single, saturate(separation, half_at=_CLEAR_SEPARATION))


def _read_move(figures: Figures, role: FeatureRole) -> float:
    """Return how far columns of a role moved; one that drifted by another measure than PSI, 0.5."""
    unmeasured = any(each.drifted and not each.psi for each in figures.moves if each.role is role)
    return max(
        saturate(compute_largest_psi(figures, role), half_at=_LARGE_PSI), 0.5 if unmeasured else 0.0
    )


def _read_unexplained_loss(figures: Figures) -> float | None:
    loss, unexplained = compute_loss(figures), figures.concept_loss
    if loss is None or unexplained is None or loss <= 0.0:
        return None
    return min(1.0, max(0.0, unexplained / (loss * figures.tolerance)))


def _read_performance(figures: Figures) -> tuple[float, float]:
    """Return how far the performance is known, and whether it is worse."""
    loss = compute_loss(figures)
    if loss is None or figures.performance is None:
        return _read_estimated_performance(figures)
    rows = figures.performance.rows
    labelled = rows / (rows + _FEW_LABELS)
    worse = _apply_logistic(_STEEPNESS * (loss - 1.0))
    return labelled, 0.5 + (worse - 0.5) * labelled


def _read_estimated_performance(figures: Figures) -> tuple[float, float]:
    """Return how far an estimate stands in for labels, and whether it is worse."""
    found = figures.estimate
    if found is None:
        return 0.0, 0.5
    loss = (found.reference - found.estimated) / figures.tolerance
    believed = LABEL_FREE_TRUST * found.rows / (found.rows + _FEW_LABELS)
    return believed, 0.5 + (_apply_logistic(_STEEPNESS * (loss - 1.0)) - 0.5) * believed


def _read_better_version(figures: Figures) -> float:
    best, champion = find_better_version(figures), get_champion_metric(figures)
    if best is None or champion is None:
        return 0.0
    return saturate((best.value - champion) / figures.tolerance, half_at=1.0)


def _read_known_cause(cases: tuple[KnownCase, ...], cause: Cause) -> float:
    """Return the share of similar known cases that name the cause, times their similarity."""
    weights = [(_weigh_case(case), case.cause == cause) for case in cases]
    total = sum(weight for weight, _ in weights)
    naming = [weight for weight, names in weights if names]
    return sum(naming) / total * max(naming) if naming and total > 0.0 else 0.0


def _weigh_case(case: KnownCase) -> float:
    span = _SAME_SIMILARITY - _RELATED_SIMILARITY
    relevance = min(1.0, max(0.0, (case.similarity - _RELATED_SIMILARITY) / span))
    return relevance * (_FAILED_ACTION_WEIGHT if case.succeeded is False else 1.0)


def _apply_logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, value))))
