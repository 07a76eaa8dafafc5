"""Describes a finding by its measured signs, in the words by which similar cases are searched for.

The knowledge base finds documents by meaning. Documents that list the signs of their cases are
indexed under these same words, so the words are changed together with that index only. Names of
columns and texts of the event stay out: they say nothing about the cause, and whoever writes them
would choose which documents are found.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from trimtab.contracts.drift import DriftFinding, FaultKind, FeatureRole, PerformanceChange
from trimtab.contracts.window_signals import Learnability, SupportSplit, WindowSignals

MAIN_SHARE: Final = 0.5
"""Share of a loss from which its cause is called the main one."""
_MIN_SHARE_OUTSIDE: Final = 0.1
"""Share of rows unlike the training rows from which they are mentioned."""
_MIN_NEW_CATEGORY_SHARE: Final = 0.02
_MAX_SEASON_RATIO: Final = 0.5
"""PSI against the season before, relative to the reference, up to which the season matches."""
_LEARNABLE_SHARE: Final = 0.75
_UNLEARNABLE_SHARE: Final = 0.25
"""Lead of a fresh model over a trivial one, relative to the reference's lead."""
_MIN_SKILL: Final = 0.05
"""Lead of the reference metric over a trivial model's below which there is no skill."""
_STANDARD_ERRORS: Final = 2.0
_LASTING_WINDOWS: Final = 3
_MAX_FAULTS: Final = 5


class PerformanceSign(StrEnum):
    """Performance of the champion on labelled rows."""

    DEGRADED = "degraded"
    """It lost more than is tolerated."""
    FINE = "fine"
    """It is within tolerance."""
    UNKNOWN = "unknown"
    """No labels have come."""


class LossSign(StrEnum):
    """Attribution of a degraded champion's loss."""

    EXPLAINED = "explained"
    """The inputs moved to where it errs more."""
    UNEXPLAINED = "unexplained"
    """The same inputs have come to mean another target."""


class MeasuredSign(StrEnum):
    """Results of the measurements that tell causes apart."""

    SEASON_MATCHES = "season_matches"
    UNLEARNABLE = "unlearnable"
    LEARNABLE = "learnable"
    OUTSIDE_SUPPORT = "outside_support"
    INSIDE_SUPPORT = "inside_support"
    CHALLENGER_BETTER = "challenger_better"
    CHALLENGER_EVEN = "challenger_even"
    NEW_CATEGORIES = "new_categories"
    RECENTLY_RELEASED = "recently_released"
    EARLIER_VERSION_BETTER = "earlier_version_better"
    NO_SKILL = "no_skill"
    FIRST_WINDOW = "first_window"
    LASTING = "lasting"
    EXPECTED_LOSS = "expected_loss"
    UNMEASURED = "unmeasured"


class FindingSigns(NamedTuple):
    """The signs of a finding; equal signs give the same query."""

    drifted: frozenset[FeatureRole]
    """Roles of the columns that drifted."""
    faults: tuple[FaultKind, ...]
    """Kinds of faults, each once."""
    performance: PerformanceSign
    loss: LossSign | None = None
    """Attribution of a degraded champion's loss; None if it was not estimated."""
    measured: frozenset[MeasuredSign] = frozenset()


_FAULTS: Final[dict[FaultKind, str]] = {
    "missing_column": "a column is gone from the schema",
    "new_column": "a new column was added to the schema",
    "retyped_column": "a column has another type",
    "nulls": "values are missing, many nulls",
    "range": "impossible values out of range",
    "unseen_category": "a new category that was never seen",
    "duplicates": "duplicate rows",
    "constant": "a column is frozen at one constant value",
    "few_rows": "too few rows",
    "unit_change": "a column comes in another unit or scale",
    "stale": "a stale feed repeats its last value",
    "no_rows": "no rows arrived, the feed stopped",
    "replayed": "rows of an earlier window were replayed under new times",
    "default_value": "a default or placeholder value stands for missing ones",
    "renamed_category": "categories were renamed",
    "outage": "an outage on some days or of one source",
    "unlearnable_labels": "the labels cannot be learnt, they do not belong to their rows",
    "flipped_labels": "the labels are flipped, the classes are swapped",
    "late_labels": "labels are late, the label feed fell behind",
}
_MEASURED: Final = {
    MeasuredSign.SEASON_MATCHES: "the same season a period ago looked like this",
    MeasuredSign.UNLEARNABLE: "a fresh model learns nothing from the newest rows",
    MeasuredSign.LEARNABLE: "a fresh model learns the newest rows well",
    MeasuredSign.OUTSIDE_SUPPORT: "the loss lies on rows unlike anything in training",
    MeasuredSign.INSIDE_SUPPORT: "the loss lies on rows like those of training",
    MeasuredSign.CHALLENGER_BETTER: "a challenger trained on recent rows is better",
    MeasuredSign.CHALLENGER_EVEN: "a challenger trained on recent rows is no better",
    MeasuredSign.NEW_CATEGORIES: "new categories appear beside the known ones",
    MeasuredSign.RECENTLY_RELEASED: "the champion was released just now",
    MeasuredSign.EARLIER_VERSION_BETTER: "an earlier version does better on the same rows",
    MeasuredSign.NO_SKILL: "the champion was never better than a trivial model",
    MeasuredSign.FIRST_WINDOW: "it is the first such window",
    MeasuredSign.LASTING: "it has lasted for several windows",
    MeasuredSign.EXPECTED_LOSS: "without labels, a loss is expected from the inputs",
    MeasuredSign.UNMEASURED: "what would tell the causes apart could not be measured",
}
_MOVES: Final = {
    FeatureRole.FEATURE: "inputs drifted",
    FeatureRole.TARGET: "the target moved, label shift",
    FeatureRole.PREDICTION: "predictions moved",
}
_PERFORMANCE: Final = {
    PerformanceSign.DEGRADED: "performance degraded",
    PerformanceSign.FINE: "performance is fine, the drift looks harmless",
    PerformanceSign.UNKNOWN: "no labels have come yet",
}
_LOSSES: Final = {
    LossSign.EXPLAINED: "the inputs moved to where the model errs more",
    LossSign.UNEXPLAINED: "concept drift, the same inputs mean another target",
}


def describe_finding(finding: DriftFinding) -> str:
    """Return the query for a finding."""
    return format_query(read_finding_signs(finding))


def format_query(signs: FindingSigns) -> str:
    """Return the signs as short sentences, those first that tell most about the cause.

    That no labels have come is left out beside a fault: the fault says more, and a case of late
    labels is another one.
    """
    moves = [_MOVES[role] for role in FeatureRole if role in signs.drifted]
    hides_performance = bool(signs.faults) and signs.performance is PerformanceSign.UNKNOWN
    parts = [
        *(_FAULTS[kind] for kind in signs.faults[:_MAX_FAULTS]),
        *(_MEASURED[sign] for sign in MeasuredSign if sign in signs.measured),
        *([] if signs.loss is None else [_LOSSES[signs.loss]]),
        *(moves or ["nothing drifted"]),
        *([] if hides_performance else [_PERFORMANCE[signs.performance]]),
    ]
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts)


def read_finding_signs(finding: DriftFinding) -> FindingSigns:
    """Return the signs in a finding's measurements."""
    return FindingSigns(
        drifted=frozenset(column.role for column in finding.drifted),
        faults=tuple(dict.fromkeys(fault.kind for fault in finding.quality)),
        performance=_read_performance(finding.performance),
        loss=_read_loss(finding),
        measured=frozenset(_read_measured_signs(finding)),
    )


def _read_performance(change: PerformanceChange | None) -> PerformanceSign:
    if change is None:
        return PerformanceSign.UNKNOWN
    return PerformanceSign.DEGRADED if change.degraded else PerformanceSign.FINE


def _read_loss(finding: DriftFinding) -> LossSign | None:
    """Return what a degraded champion's loss is attributed to, if that was estimated."""
    change, unexplained = finding.performance, finding.concept_loss
    if change is None or not change.degraded or unexplained is None:
        return None
    mainly = unexplained >= MAIN_SHARE * (change.reference - change.current)
    return LossSign.UNEXPLAINED if mainly else LossSign.EXPLAINED


def _read_measured_signs(finding: DriftFinding) -> Iterator[MeasuredSign]:
    change, estimate = finding.performance, finding.estimate
    if change is None and estimate is not None and estimate.degraded:
        yield MeasuredSign.EXPECTED_LOSS
    if change is not None:
        yield from _read_performance_signs(change)
    if finding.signals is not None:
        yield from _read_window_signs(finding.signals)


def _read_performance_signs(change: PerformanceChange) -> Iterator[MeasuredSign]:
    if change.trivial is not None:
        needed = max(_MIN_SKILL, change.spread or 0.0)
        if change.reference - change.trivial < needed:
            yield MeasuredSign.NO_SKILL
    if change.degraded and change.windows >= _LASTING_WINDOWS:
        yield MeasuredSign.LASTING
    elif change.degraded and change.windows == 1:
        yield MeasuredSign.FIRST_WINDOW


def _read_window_signs(signals: WindowSignals) -> Iterator[MeasuredSign]:
    if signals.learnability is not None:
        yield from _read_learnability(signals.learnability)
    if signals.support is not None:
        yield from _read_support(signals.support)
    if signals.challenger is not None and signals.challenger.error is not None:
        noise = _STANDARD_ERRORS * signals.challenger.error
        if signals.challenger.gain > noise:
            yield MeasuredSign.CHALLENGER_BETTER
        else:
            yield MeasuredSign.CHALLENGER_EVEN
    season = signals.season
    if season is not None and season.season_psi < _MAX_SEASON_RATIO * season.reference_psi:
        yield MeasuredSign.SEASON_MATCHES
    if (signals.new_category_share or 0.0) >= _MIN_NEW_CATEGORY_SHARE:
        yield MeasuredSign.NEW_CATEGORIES
    if signals.released_windows_ago is not None and signals.released_windows_ago <= 1:
        yield MeasuredSign.RECENTLY_RELEASED
    if (signals.regained or 0.0) >= MAIN_SHARE:
        yield MeasuredSign.EARLIER_VERSION_BETTER
    if signals.unmeasured:
        yield MeasuredSign.UNMEASURED


def _read_learnability(found: Learnability) -> Iterator[MeasuredSign]:
    if found.reference is None or found.reference <= found.trivial:
        return
    share = (found.value - found.trivial) / (found.reference - found.trivial)
    if share <= _UNLEARNABLE_SHARE:
        yield MeasuredSign.UNLEARNABLE
    elif share >= _LEARNABLE_SHARE:
        yield MeasuredSign.LEARNABLE


def _read_support(found: SupportSplit) -> Iterator[MeasuredSign]:
    """Yield where the loss lies; nothing if too few rows are on one side to compare."""
    inside, outside = found.inside, found.outside
    if inside is None:
        return
    many_outside = found.share_outside >= _MIN_SHARE_OUTSIDE
    if many_outside and outside is not None and outside < inside:
        yield MeasuredSign.OUTSIDE_SUPPORT
    elif found.inside_reference is not None:
        lost = found.inside_reference - inside
        if lost > _STANDARD_ERRORS * (found.inside_error or 0.0):
            yield MeasuredSign.INSIDE_SUPPORT
