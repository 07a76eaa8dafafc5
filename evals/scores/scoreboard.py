"""Adds the scores of incidents up: for all of them, and for each kind."""

from collections.abc import Iterable, Sequence

from evals.play.incident_record import PlayedIncident
from evals.scores.incident_score import POLICIES, IncidentScore, PlanScore, score_incident
from evals.scores.statistics import (
    ConfidenceScore,
    MeanFigure,
    Proportion,
    compute_mean_figure,
    compute_proportion,
    score_confidence,
)
from trimtab.contracts.base import Record
from trimtab.contracts.decision import Verdict


class Scoreboard(Record):
    """The scores of some incidents."""

    incidents: int
    detected: Proportion
    """Within two windows of the onset, where an event is due."""
    quiet: Proportion
    """No event, where nothing is due."""
    false_events: Proportion
    """Events in windows before the onset."""
    cause: MeanFigure
    """Cause score of the first event."""
    cause_family: MeanFigure
    """The same if all kinds of broken data count as one cause."""
    first_action: Proportion
    forbidden_tried: Proportion
    forbidden_kept: Proportion
    without_person: Proportion
    """Events from the onset on that were not escalated."""
    unattended_errors: Proportion
    """Wrong actions among them."""
    needless_escalations: Proportion
    """Escalations of plans with the right cause and action."""
    missed_escalations: Proportion
    """Plans with a wrong action that were not escalated."""
    not_worse_at_end: Proportion
    as_good: Proportion
    """As good as the better of never and always retraining, within the tolerance."""
    regret: dict[str, MeanFigure]
    """Mean loss against the best action, in the metric, by policy."""
    confidence: ConfidenceScore
    failures: int
    seconds: MeanFigure


def build_scoreboard(scores: Sequence[IncidentScore]) -> Scoreboard:
    """Return the scores of the incidents together."""
    plans = [plan for score in scores for plan in score.plans]
    alone = [plan for plan in plans if plan.verdict is not Verdict.ESCALATE]
    asked = [plan for plan in plans if plan.verdict is Verdict.ESCALATE]
    wrong = [plan for plan in plans if not plan.action_right]
    clean = sum(score.clean_windows for score in scores)
    return Scoreboard(
        incidents=len(scores),
        detected=_count(score.detected for score in scores),
        quiet=_count(score.quiet for score in scores),
        false_events=compute_proportion(sum(score.false_events for score in scores), clean),
        cause=_average(score.cause_score for score in scores),
        cause_family=_average(score.family_score for score in scores),
        first_action=_count(score.action_right for score in scores),
        forbidden_tried=_count(score.forbidden_tried for score in scores),
        forbidden_kept=_count(score.forbidden_kept for score in scores),
        without_person=compute_proportion(len(alone), len(plans)),
        unattended_errors=_count(not plan.action_right for plan in alone),
        needless_escalations=_count(plan.right for plan in asked),
        missed_escalations=_count(plan.verdict is not Verdict.ESCALATE for plan in wrong),
        not_worse_at_end=_count(_negate(score.worse_at_end) for score in scores),
        as_good=_count(score.as_good for score in scores),
        regret={
            name: _average(score.regret.get(name) for score in scores)
            for name in ("trimtab", *POLICIES)
        },
        confidence=_score_plans(plans),
        failures=sum(score.failures for score in scores),
        seconds=_average(score.seconds for score in scores),
    )


def group_by_kind(scores: Sequence[IncidentScore]) -> dict[str, Scoreboard]:
    """Return the scoreboard of each kind, in the order of the incidents."""
    kinds = dict.fromkeys(score.kind for score in scores)
    return {
        kind: build_scoreboard([each for each in scores if each.kind == kind]) for kind in kinds
    }


def score_all(played: Iterable[PlayedIncident]) -> list[IncidentScore]:
    """Return the scores of each incident."""
    return [score_incident(each) for each in played]


def _score_plans(plans: Sequence[PlanScore]) -> ConfidenceScore:
    return score_confidence([plan.confidence for plan in plans], [plan.right for plan in plans])


def _count(values: Iterable[bool | None]) -> Proportion:
    known = [value for value in values if value is not None]
    return compute_proportion(sum(known), len(known))


def _average(values: Iterable[float | None]) -> MeanFigure:
    return compute_mean_figure([value for value in values if value is not None])


def _negate(value: bool | None) -> bool | None:  # noqa: FBT001 - it is the value
    return None if value is None else not value
