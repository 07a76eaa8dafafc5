"""The rules of the built-in analyst: from figures in the brief to likelihoods of causes.

Each rule turns a margin into a number between 0 and 1 that grows smoothly with it, so that clear
cases come out clear and close ones close. Nothing here is learnt; every constant has its reason.

A cause's score multiplies what speaks for it:

- data_quality: the gravest fault, found before anything else is asked; what is left of 1 is shared
  among the others
- bad_release: the metric is worse, and an earlier version does better on the newest rows
- seasonality: the metric is worse, something moved, and known cases speak of a recurring pattern;
  it is never ruled out where the history is shorter than the year after which most things recur
- label_shift: the metric is worse and the target moved, the more so the less inputs did
- covariate_shift: the metric is worse and inputs moved, the more so the less the target did: inputs
  that move take the target with them, and a target that moves shows less in each of the inputs
- concept_drift: the metric is worse though neither inputs nor target moved
- these last three, where the loss that covariate shift explains was estimated: covariate_shift
  as far as it explains the loss, concept_drift as far as it does not, and label_shift the less
  the more of a loss is unexplained although no input moved
- harmless: the metric is not worse, a little less so when something moved far
- unknown: no labels say how the model does; an estimate without them is half believed

Likelihoods are the squared scores over their sum: squaring lets the best supported cause lead, as
independent pieces of evidence would if each were counted twice.
"""

import math
from typing import NamedTuple

from agents.brief import Brief, Excerpt, Fault, Item
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.evidence_ids import build_metric_id
from trimtab.contracts.remediation import Action

_LARGE_PSI = 0.2
"""Commonly called a large move: worth one half."""
_STEEPNESS = 3.0
"""A metric one tolerance down is worth one half, two tolerances down 0.95."""
_FEW_LABELS = 50
"""Labelled rows at which the metric is believed by half."""
_RELATED, _SAME = 0.3, 0.8
"""Similarity of a document that says nothing about the case, and of one about the very case."""
_WELL_TOLD = 0.2
"""Rows are told apart so well (twice the AUC, less one) that inputs moved: worth one half."""
_ESTIMATED = 0.5
"""How far an estimate without labels is believed, beside labels."""
_TOUCHED = 0.05
"""Share of the rows with a fault that explains as much as it leaves open: worth one half."""
_YEAR = 365
"""Days after which most of what recurs has done so."""
_UNSEEN = 0.35
"""What a season is worth beside a lasting change, which it looks like until a year has been seen;
not more, for what is to be done about either is nearly the same."""
_FLOOR = 0.02
"""Least score of the unknown: there is always something that the rules do not see."""

_WEIGHT: dict[str, float] = {"new_column": 0.0, "unseen_category": 0.25}
"""How far a fault speaks for broken data, where that is less than fully: a column that nobody reads
breaks nothing, and new categories may be the world's."""

_FIT: dict[Action, dict[Cause, float]] = {
    Action.MONITOR: {Cause.HARMLESS: 1.0, Cause.DATA_QUALITY: 0.9, Cause.UNKNOWN: 0.7,
                     Cause.SEASONALITY: 0.3},
    Action.RETRAIN: {Cause.COVARIATE_SHIFT: 1.0, Cause.LABEL_SHIFT: 1.0, Cause.CONCEPT_DRIFT: 1.0,
                     Cause.SEASONALITY: 0.7, Cause.BAD_RELEASE: 0.4, Cause.UNKNOWN: 0.2},
    Action.ROLL_BACK: {Cause.BAD_RELEASE: 1.0, Cause.SEASONALITY: 0.2, Cause.CONCEPT_DRIFT: 0.2,
                       Cause.COVARIATE_SHIFT: 0.2, Cause.LABEL_SHIFT: 0.2},
}  # fmt: skip
"""How well an action meets a cause; what is not listed it does not meet at all."""


class Version(NamedTuple):
    """One version of the model on the newest labelled rows."""

    name: str
    value: float


class Signals(NamedTuple):
    """What the brief says, each between 0 (no sign of it) and 1 (beyond doubt)."""

    worse: float
    """The metric lost more than its tolerance; one half without labels."""
    labelled: float
    """How far the labels can be relied on."""
    faulty: float
    """The data itself is broken."""
    inputs_moved: float
    target_moved: float
    outdone: float
    """An earlier version does better than the champion on the newest rows."""
    recurring: float
    """Known cases like this one speak of a recurring pattern."""
    unexplained: float | None = None
    """Share of the loss that covariate shift does not explain; None where nobody estimated it."""
    unseen: float = 0.0
    """Share of a year that the champion has not seen."""


def read_signals(brief: Brief) -> Signals:
    """The signals in a brief."""
    labelled, worse = _performance(brief)
    return Signals(
        worse=worse,
        labelled=labelled,
        faulty=max(map(gravity, brief.finding.faults), default=0.0),
        inputs_moved=_inputs_moved(brief),
        target_moved=_moved(brief, FeatureRole.TARGET),
        outdone=_outdone(brief),
        recurring=_share(brief.documents, Cause.SEASONALITY),
        unexplained=_unexplained(brief),
        unseen=unseen(brief),
    )  # fmt: skip


def likelihoods(signals: Signals) -> dict[Cause, float]:
    """How likely each cause is; sums to 1, most likely first."""
    s = signals
    sound = 1.0 - s.faulty
    known_worse = sound * s.worse * (0.25 + 0.75 * s.labelled)
    still_worse = known_worse * (1.0 - s.outdone)
    moved = max(s.inputs_moved, s.target_moved)
    recurring = s.recurring * moved
    once, parted = still_worse * (1.0 - recurring), _parted(s)
    alike = once * max(parted.values()) * _UNSEEN * s.unseen
    scores = {
        Cause.DATA_QUALITY: s.faulty,
        Cause.BAD_RELEASE: known_worse * s.outdone,
        Cause.SEASONALITY: still_worse * recurring + alike,
        **{cause: once * share for cause, share in parted.items()},
        Cause.HARMLESS: sound * (1.0 - s.worse) * (1.0 - 0.35 * moved) * (0.5 + 0.5 * s.labelled),
        Cause.UNKNOWN: max(_FLOOR, 0.6 * sound * (1.0 - s.labelled)),
    }
    squares = {cause: score**2 for cause, score in scores.items()}
    total = sum(squares.values())
    ranked = sorted(squares, key=lambda cause: -squares[cause])
    return {cause: squares[cause] / total for cause in ranked}


def fitness(action: Action, shares: dict[Cause, float]) -> float:
    """How likely the action is the right one: its fit to each cause, weighted by likelihood."""
    return sum(shares.get(cause, 0.0) * fit for cause, fit in _FIT[action].items())


def choose(brief: Brief, shares: dict[Cause, float]) -> dict[Action, float]:
    """The actions that are possible, fittest first; nothing is learnt from corrupt data."""
    possible = [Action.MONITOR]
    if not any(fault.corrupt for fault in brief.finding.faults):
        possible.append(Action.RETRAIN)
    if better_version(brief) is not None:
        possible.append(Action.ROLL_BACK)
    fit = {action: fitness(action, shares) for action in possible}
    return {action: fit[action] for action in sorted(possible, key=lambda each: -fit[each])}


def better_version(brief: Brief) -> Version | None:
    """The earlier version that does best on the newest rows, if it beats the champion.

    A later one was never champion: that it does better speaks for newer data, not for going back.
    """
    versions = [version for version in map(_version, brief.evidence) if version is not None]
    earlier = [version for version in versions if _number(version.name) < _champion(brief)]
    champion = champion_now(brief)
    best = max(earlier, key=lambda version: version.value, default=None)
    if best is None or champion is None or best.value <= champion:
        return None
    return best


def champion_now(brief: Brief) -> float | None:
    """The champion's metric on the newest rows."""
    measured = find(brief, build_metric_id(brief.model.champion or ""))
    if measured is not None and measured.value is not None:
        return measured.value
    return brief.finding.performance.current if brief.finding.performance else None


def lost(brief: Brief) -> float | None:
    """How many tolerances the metric lost; None without labels."""
    performance = brief.finding.performance
    if performance is None or performance.rows == 0:
        return None
    return (performance.reference - performance.current) / brief.model.tolerance


def largest_move(brief: Brief, role: FeatureRole) -> float:
    """The largest psi among columns of that role."""
    return max((each.psi for each in brief.finding.moved if each.role is role), default=0.0)


def unseen(brief: Brief) -> float:
    """The share of a year that the champion has not seen, 0 to 1; 0 where that is unknown."""
    days = brief.finding.history_days
    return 0.0 if days is None else min(1.0, max(0.0, 1.0 - days / _YEAR))


def find(brief: Brief, item_id: str) -> Item | None:
    """The item with that id, or None."""
    return next((item for item in brief.evidence if item.id == item_id), None)


def gravity(fault: Fault) -> float:
    """A corrupt fault outweighs what follows from it; others count by the rows they touch."""
    touched = _WEIGHT.get(fault.kind, 1.0) * _half_at(_TOUCHED, fault.fraction)
    return max(0.7 + 0.3 * fault.fraction, touched) if fault.corrupt else touched


def _parted(s: Signals) -> dict[Cause, float]:
    """A loss that came once, by what may have moved; an estimated split of it is half believed."""
    ahead = _ahead(s.target_moved, s.inputs_moved)
    by_target, by_inputs = s.target_moved * ahead, s.inputs_moved * (1.0 - ahead)
    by_moves = {
        Cause.LABEL_SHIFT: by_target,
        Cause.COVARIATE_SHIFT: by_inputs,
        Cause.CONCEPT_DRIFT: (1.0 - s.inputs_moved) * (1.0 - s.target_moved),
    }
    if s.unexplained is None:
        return by_moves
    known = 1.0 - s.unexplained
    by_split = {
        Cause.LABEL_SHIFT: by_target * (1.0 - s.unexplained * (1.0 - s.inputs_moved)),
        Cause.COVARIATE_SHIFT: by_inputs * known,
        Cause.CONCEPT_DRIFT: s.unexplained * (1.0 - s.target_moved * s.inputs_moved),
    }
    return {
        cause: (1.0 - _ESTIMATED) * share + _ESTIMATED * by_split[cause]
        for cause, share in by_moves.items()
    }


def _ahead(one: float, other: float) -> float:
    """The first move's share of both, each by its odds: psi, where moves are by psi."""
    first, second = one * (1.0 - other), other * (1.0 - one)
    return first / (first + second) if first + second > 0.0 else 0.5


def _inputs_moved(brief: Brief) -> float:
    """One by one, or taken together."""
    alone = _moved(brief, FeatureRole.FEATURE)
    if brief.finding.told_apart is None:
        return alone
    return max(alone, _half_at(_WELL_TOLD, 2.0 * brief.finding.told_apart - 1.0))


def _moved(brief: Brief, role: FeatureRole) -> float:
    """How far columns of that role moved; one that drifted by another measure than psi, by half."""
    unmeasured = any(
        each.drifted and not each.psi for each in brief.finding.moved if each.role is role
    )
    return max(_half_at(_LARGE_PSI, largest_move(brief, role)), 0.5 * unmeasured)


def _unexplained(brief: Brief) -> float | None:
    loss, beyond = lost(brief), brief.finding.concept_loss
    if loss is None or beyond is None or loss <= 0.0:
        return None
    return min(1.0, max(0.0, beyond / (loss * brief.model.tolerance)))


def _performance(brief: Brief) -> tuple[float, float]:
    loss = lost(brief)
    if loss is None or brief.finding.performance is None:
        return _expected(brief)
    rows = brief.finding.performance.rows
    labelled = rows / (rows + _FEW_LABELS)
    worse = _logistic(_STEEPNESS * (loss - 1.0))
    return labelled, 0.5 + (worse - 0.5) * labelled


def _expected(brief: Brief) -> tuple[float, float]:
    """How far an estimate stands in for labels, and whether it says worse."""
    found = brief.finding.estimate
    if found is None:
        return 0.0, 0.5
    loss = (found.reference - found.estimated) / brief.model.tolerance
    believed = _ESTIMATED * found.rows / (found.rows + _FEW_LABELS)
    return believed, 0.5 + (_logistic(_STEEPNESS * (loss - 1.0)) - 0.5) * believed


def _outdone(brief: Brief) -> float:
    best, champion = better_version(brief), champion_now(brief)
    if best is None or champion is None:
        return 0.0
    return _half_at(1.0, (best.value - champion) / brief.model.tolerance)


def _version(item: Item) -> Version | None:
    if item.version is None or item.value is None:
        return None
    return Version(item.version, item.value)


def _champion(brief: Brief) -> int:
    return _number(brief.model.champion or "")


def _number(version: str) -> int:
    """Registries count versions up; one that is no number is older than all."""
    return int(version) if version.isdecimal() else 0


def _share(documents: tuple[Excerpt, ...], cause: Cause) -> float:
    """How much of what is known of like cases names the cause, times how alike they are."""
    weights = [(_relevance(document), document.cause == cause) for document in documents]
    total = sum(weight for weight, _ in weights)
    naming = [weight for weight, names in weights if names]
    return sum(naming) / total * max(naming) if naming and total > 0.0 else 0.0


def _relevance(document: Excerpt) -> float:
    alike = (document.similarity - _RELATED) / (_SAME - _RELATED)
    return min(1.0, max(0.0, alike)) * (0.5 if document.succeeded is False else 1.0)


def _half_at(middle: float, value: float) -> float:
    return value / (value + middle) if value > 0.0 else 0.0


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, value))))
