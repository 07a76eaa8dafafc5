"""Scores one played incident: what is counted, and out of how many."""

from collections.abc import Callable, Sequence
from typing import Final

from evals.play.incident_record import PlayedIncident, ResponseRecord, WindowRecord
from evals.play.oracle import compute_mean
from evals.truth import Due
from trimtab.contracts.base import Record
from trimtab.contracts.decision import Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.remediation import Action

_DETECTION_WINDOWS: Final = 2
_LAST_WINDOWS: Final = 3
POLICIES: Final = ("never", "always", "threshold", "cusum")
"""Simple policies that Trimtab is held against."""


class PlanScore(Record):
    """One answered event from the onset on."""

    confidence: float
    cause_score: float
    action_right: bool
    verdict: Verdict

    @property
    def right(self) -> bool:
        """Whether cause and action are right."""
        return self.cause_score > 0.0 and self.action_right


class IncidentScore(Record):
    """The scores of one incident; None where something does not apply."""

    id: str
    kind: str
    table: str
    detected: bool | None
    """Whether an event came within two windows of the onset; None unless one is due."""
    quiet: bool | None
    """Whether no event came; None unless nothing is due."""
    clean_windows: int
    false_events: int
    cause_score: float | None
    """Of the first event; None without one, or if it is false."""
    family_score: float | None
    """The same if all kinds of broken data count as one cause."""
    action_right: bool | None
    """Of the first event; without an event, whether none was due."""
    forbidden_tried: bool
    forbidden_kept: bool
    plans: tuple[PlanScore, ...]
    worse_at_end: bool | None
    """Whether the last three windows were served worse than by the untouched model."""
    as_good: bool | None
    """Whether it is as good as the better of never and always, within the tolerance."""
    regret: dict[str, float | None]
    """Loss in the windows after the first event by policy, against the best that was done."""
    failures: int
    """Windows whose check or response ended with an error."""
    seconds: float


def score_incident(played: PlayedIncident) -> IncidentScore:
    """Return the scores of an incident."""
    truth = played.adjudication.truth
    events = [each for each in played.windows if each.event]
    after = [each for each in events if each.index >= truth.onset]
    first = after[0] if after else None
    response = first.response if first else None
    due = truth.due
    clean = [each for each in played.windows if each.index < truth.onset]
    responses = [(each, each.response) for each in events if each.response is not None]
    forbidden = [
        answer
        for window, answer in responses
        if answer.executed_alone and answer.promoted and answer.action in truth.forbidden
        and window.index >= truth.onset
    ]  # fmt: skip
    return IncidentScore(
        id=str(played.id),
        kind=played.id.kind,
        table=played.id.table,
        detected=_is_detected(first, truth.onset) if due is Due.DUE else None,
        quiet=first is None if due is Due.QUIET else None,
        clean_windows=len(clean),
        false_events=sum(each.event for each in clean),
        cause_score=_score_cause(response, truth.score_causes, due),
        family_score=_score_cause(response, truth.score_families, due),
        action_right=_judge_first_action(played, response),
        forbidden_tried=bool(forbidden),
        forbidden_kept=any(each.kept for each in forbidden),
        plans=tuple(
            PlanScore(
                confidence=answer.confidence,
                cause_score=truth.score_causes(answer.named),
                action_right=answer.action in truth.actions,
                verdict=answer.verdict,
            )
            for window, answer in responses
            if truth.is_affected(window.index) and due is not Due.QUIET
        ),
        worse_at_end=_is_worse_at_end(played),
        as_good=_is_as_good(played),
        regret=_compute_regrets(played),
        failures=sum(bool(each.failure) for each in played.windows),
        seconds=played.seconds,
    )


def _is_detected(first: WindowRecord | None, onset: int) -> bool:
    return first is not None and first.index < onset + _DETECTION_WINDOWS


def _score_cause(
    response: ResponseRecord | None,
    score: Callable[[tuple[Cause, ...]], float],
    due: Due,
) -> float | None:
    return None if response is None or due is Due.QUIET else score(response.named)


def _judge_first_action(played: PlayedIncident, response: ResponseRecord | None) -> bool:
    truth = played.adjudication.truth
    if response is None:
        return truth.due is not Due.DUE
    return response.action in truth.actions


def _is_worse_at_end(played: PlayedIncident) -> bool | None:
    last = played.windows[-_LAST_WINDOWS:]
    served = compute_mean([each.served for each in last])
    untouched = compute_mean([each.untouched for each in last])
    if served is None or untouched is None:
        return None
    return served < untouched - played.tolerance


def _is_as_good(played: PlayedIncident) -> bool | None:
    """Compare from the window after the onset on, the first that an answer can change.

    What learns from data that nothing may learn from is no rival.
    """
    first = played.adjudication.truth.onset + 1
    served = compute_mean([each.served for each in played.windows[first:]])
    policies = played.oracle.policies
    rivals = ("never",) if _may_not_learn(played) else ("never", "always")
    others = [compute_mean(policies[name][first:]) for name in rivals]
    known = [each for each in others if each is not None]
    if served is None or not known:
        return None
    return served >= max(known) - played.tolerance


def _compute_regrets(played: PlayedIncident) -> dict[str, float | None]:
    later = slice(played.oracle.window + 1, None)
    metrics: dict[str, Sequence[float | None]] = {
        "trimtab": [each.served for each in played.windows],
        **{name: played.oracle.policies[name] for name in POLICIES},
    }
    means = {name: compute_mean(values[later]) for name, values in metrics.items()}
    learning = {"retrain", *POLICIES[1:]} if _may_not_learn(played) else set()
    candidates = {**played.oracle.actions, **means}
    best = [
        value for name, value in candidates.items() if value is not None and name not in learning
    ]
    return {
        name: None if mean is None or not best else round(max(best) - mean, 5)
        for name, mean in means.items()
    }


def _may_not_learn(played: PlayedIncident) -> bool:
    return Action.RETRAIN in played.adjudication.truth.forbidden
