"""Turns figures into signals, each between 0 (no sign of it) and 1 (beyond doubt).

Each signal grows smoothly with its margin: clear cases come out clear, and close ones close. What
was not measured has no signal, and then speaks for no cause.
"""

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from policies.judgement.faults import rate_fault_signals
from policies.judgement.figures import (
    Figures,
    compute_largest_psi,
    compute_loss,
    compute_unseen_season,
    find_better_version,
    get_champion_metric,
    saturate_sharply,
)
from trimtab.contracts.drift import FeatureRole

LABEL_FREE_TRUST: Final = 0.5
"""How far an estimate without labels is believed, relative to labels."""

_LARGE_PSI: Final = 0.2
"""PSI that is commonly called a large move: worth one half."""
_LARGE_TARGET_PSI: Final = 0.07
"""PSI of the target, or of the predictions, that is worth one half: a single column moves less by
chance than the furthest of many."""
_STEEPNESS: Final = 3.0
"""A metric that is one tolerance down is worth one half, two tolerances down 0.95."""
_FEW_LABELS: Final = 50
"""Number of labelled rows at which the metric is believed by half."""
_CLEAR_SEPARATION: Final = 0.2
"""Gini coefficient (2 AUC - 1) of the domain classifier at which inputs moved: worth one half."""
_NEW_SHARE: Final = 0.05
"""Share of rows of a new kind that is worth one half."""
_MOST_REGAINED: Final = 0.5
"""Share of the loss that an earlier version must be without to be worth one half."""
_RECENT_RELEASE: Final = 2
"""Windows after which a release hardly explains a loss that begins now."""
_SKILL_ERRORS: Final = 2.0
"""Standard errors above a trivial model's metric at which a champion has skill."""
_SMALL_METRIC: Final = 0.02
"""Distance of two metrics that no error is known of, and that is worth one standard error."""


class Signal(StrEnum):
    """What an incident's figures may show."""

    WORSE = "worse"
    """The metric lost more than its tolerance."""
    BETTER = "better"
    """The metric gained more than its tolerance."""
    UNLABELLED = "unlabelled"
    """Labels are missing or too few."""
    INPUTS_MOVED = "inputs_moved"
    TARGET_MOVED = "target_moved"
    PREDICTIONS_MOVED = "predictions_moved"
    """What the champion answers moved."""
    UNEXPLAINED = "unexplained"
    """The loss is more than covariate shift explains."""
    INSIDE_WORSE = "inside_worse"
    """The metric is worse on rows like those that the champion learnt from."""
    OUTSIDE = "outside"
    """There are rows unlike those, and the loss is theirs."""
    NEW_ROWS = "new_rows"
    """There are rows of categories that are new, beside all that were known."""
    UNLEARNABLE = "unlearnable"
    """A fresh model cannot learn the window from its own rows, as it could the reference."""
    RELEASED = "released"
    """The champion was released a short time ago, over a version without most of the loss."""
    SHORT_HISTORY = "short_history"
    """The champion has not seen a whole year."""
    SEASON = "season"
    """The window looks like the same season a period ago, and not like the reference."""
    UNSKILLED = "unskilled"
    """The champion was hardly better than a trivial model when it was trained."""
    UNIT = "unit"
    MISSING = "missing"
    SCHEMA = "schema"
    STALE = "stale"
    OUTAGE = "outage"
    LABELS = "labels"
    IMPOSSIBLE = "impossible"
    """Values are impossible in another way."""


Signals = dict[Signal, float]
"""Signals that were measured."""


def read_signals(figures: Figures) -> Signals:
    """Return the signals in an incident's figures."""
    read = dict(_read_performance(figures))
    worse = read.get(Signal.WORSE, 0.0)
    faults = {Signal(name): value for name, value in rate_fault_signals(figures, worse).items()}
    return {
        **read,
        Signal.INPUTS_MOVED: _read_input_move(figures),
        Signal.TARGET_MOVED: _read_move(figures, FeatureRole.TARGET),
        **dict(_read_prediction_move(figures)),
        **dict(_read_loss_split(figures)),
        **dict(_read_window_signals(figures)),
        Signal.RELEASED: _read_release(figures),
        **faults,
    }


def _read_performance(figures: Figures) -> Iterator[tuple[Signal, float]]:
    performance, loss = figures.performance, compute_loss(figures)
    if performance is None or loss is None:
        estimated = _read_estimated_loss(figures)
        yield Signal.UNLABELLED, 1.0 if estimated is None else 1.0 - LABEL_FREE_TRUST
        if estimated is not None:
            yield Signal.WORSE, estimated
        return
    labelled = performance.rows / (performance.rows + _FEW_LABELS)
    yield Signal.UNLABELLED, 1.0 - labelled
    yield Signal.WORSE, 0.5 + (_rate_margin(loss, performance.error, figures) - 0.5) * labelled
    yield Signal.BETTER, _rate_margin(-loss, performance.error, figures) * labelled
    if performance.trivial is not None:
        skill = performance.reference - performance.trivial
        error = max(performance.error or 0.0, _SMALL_METRIC)
        yield Signal.UNSKILLED, 1.0 - _apply_logistic(2.0 * (skill / error - _SKILL_ERRORS))


def _rate_margin(loss: float, error: float | None, figures: Figures) -> float:
    """Return how sure it is that a loss, in tolerances, is beyond the tolerance."""
    smooth = _apply_logistic(_STEEPNESS * (loss - 1.0))
    if not error:
        return smooth
    beyond = _apply_logistic(1.7 * (loss - 1.0) * figures.tolerance / error)
    return min(smooth, beyond) if loss > 1.0 else max(smooth, min(beyond, 0.5))


def _read_estimated_loss(figures: Figures) -> float | None:
    """Return how far an estimate without labels says that the metric is worse."""
    found = figures.estimate
    if found is None:
        return None
    loss = (found.reference - found.estimated) / figures.tolerance
    believed = LABEL_FREE_TRUST * found.rows / (found.rows + _FEW_LABELS)
    return 0.5 + (_apply_logistic(_STEEPNESS * (loss - 1.0)) - 0.5) * believed


def _read_input_move(figures: Figures) -> float:
    """Return how far inputs moved, one by one or taken together."""
    single = _read_move(figures, FeatureRole.FEATURE)
    if figures.classifier_low is None:
        return single
    separation = 2.0 * figures.classifier_low - 1.0
    return max(single, saturate_sharply(separation, half_at=_CLEAR_SEPARATION))


def _read_prediction_move(figures: Figures) -> Iterator[tuple[Signal, float]]:
    """Yield how far predictions moved; nothing if they were not compared."""
    if any(each.role is FeatureRole.PREDICTION for each in figures.moves):
        yield Signal.PREDICTIONS_MOVED, _read_move(figures, FeatureRole.PREDICTION)


def _read_move(figures: Figures, role: FeatureRole) -> float:
    """Return how far columns of a role moved; one that drifted by another measure than PSI, 0.5."""
    large = _LARGE_PSI if role is FeatureRole.FEATURE else _LARGE_TARGET_PSI
    unmeasured = any(each.drifted and not each.psi for each in figures.moves if each.role is role)
    moved = saturate_sharply(compute_largest_psi(figures, role), half_at=large)
    return max(moved, 0.5 if unmeasured else 0.0)


def _read_loss_split(figures: Figures) -> Iterator[tuple[Signal, float]]:
    """Yield where a loss comes from; nothing without a loss."""
    loss, unexplained = compute_loss(figures), figures.concept_loss
    if loss is None or loss <= 0.0:
        return
    if unexplained is not None:
        yield Signal.UNEXPLAINED, min(1.0, max(0.0, unexplained / (loss * figures.tolerance)))
    split = figures.signals.support if figures.signals else None
    if split is None or split.inside is None or split.inside_reference is None:
        return
    inside_loss = (split.inside_reference - split.inside) / figures.tolerance
    inside = _rate_margin(inside_loss, split.inside_error, figures)
    yield Signal.INSIDE_WORSE, inside
    yield Signal.OUTSIDE, (1.0 - inside) * saturate_sharply(split.share_outside, half_at=_NEW_SHARE)


def _read_window_signals(figures: Figures) -> Iterator[tuple[Signal, float]]:
    found = figures.signals
    if found is None or found.season is None:
        yield Signal.SHORT_HISTORY, compute_unseen_season(figures)
    if found is None:
        return
    if found.new_category_share is not None:
        yield Signal.NEW_ROWS, saturate_sharply(found.new_category_share, half_at=_NEW_SHARE)
    if (learnt := found.learnability) is not None and learnt.reference is not None:
        possible = learnt.reference - learnt.trivial
        error = max(learnt.error or 0.0, _SMALL_METRIC)
        if possible > _SKILL_ERRORS * error:
            kept = (learnt.value - learnt.trivial) / possible
            yield Signal.UNLEARNABLE, 1.0 - _apply_logistic(12.0 * (kept - 0.4))
    if (season := found.season) is not None:
        moved = saturate_sharply(season.reference_psi, half_at=_LARGE_PSI)
        alike = 1.0 - saturate_sharply(season.season_psi, half_at=_LARGE_PSI / 2)
        yield Signal.SEASON, moved * alike


def _read_release(figures: Figures) -> float:
    """Return how far a release explains the loss.

    An earlier version must be without most of it, and the release must be recent.
    """
    regained = _read_regained_share(figures)
    ago = figures.signals.released_windows_ago if figures.signals else None
    recent = 1.0 if ago is None else min(1.0, _RECENT_RELEASE / max(ago, 1))
    return _apply_logistic(10.0 * (regained - _MOST_REGAINED)) * recent if regained > 0.0 else 0.0


def _read_regained_share(figures: Figures) -> float:
    """Return the share of the loss that the best earlier version does not have."""
    if figures.signals and figures.signals.regained is not None:
        return figures.signals.regained
    best, champion = find_better_version(figures), get_champion_metric(figures)
    loss = compute_loss(figures)
    if best is None or champion is None or loss is None or loss <= 1.0:
        return 0.0
    return (best.value - champion) / (loss * figures.tolerance)


def _apply_logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, value))))
