"""Reviews cause and plan: whether they follow from the evidence, and what does not."""

from agents.analyst.answers import get_found_causes, judge_causes
from agents.analyst.brief_figures import read_figures
from agents.analyst.sentences import (
    NO_LABELS,
    describe_moves,
    describe_performance,
    format_name,
)
from agents.brief import Brief
from policies.judgement.actions import compute_fitness, rank_actions
from policies.judgement.figures import compute_loss, compute_unseen_season
from trimtab.contracts.deliberation import ReviewReply
from trimtab.contracts.remediation import Action

_CLOSE_LEAD = 0.15
"""Lead of the first cause over the second below which the review has a concern."""
_MAX_CONCERNS = 5
_MAX_SUMMARY_LENGTH = 800
_MAX_IDS_LENGTH = 200


def answer_review(brief: Brief) -> ReviewReply:
    """Return whether cause and plan follow from the evidence, and the concerns."""
    contradictions = _list_contradictions(brief)
    confidence = 0.0 if contradictions else _compute_confidence(brief)
    return ReviewReply(
        agrees=not contradictions,
        concerns=[*contradictions, *_list_doubts(brief)][:_MAX_CONCERNS],
        summary=_summarise(brief)[:_MAX_SUMMARY_LENGTH],
        confidence=round(confidence, 4),
    )


def _list_contradictions(brief: Brief) -> list[str]:
    """Return what makes the plan wrong by the evidence."""
    if brief.plan is None or brief.root_cause is None:
        return ["There is no cause or no plan to review."]
    figures = read_figures(brief)
    shown = {item.id for item in brief.evidence}
    cited = {*brief.root_cause.citations, *brief.plan.citations}
    faults = []
    if unknown := sorted(cited - shown):
        faults.append(f"Cited but not in the evidence: {', '.join(unknown)[:_MAX_IDS_LENGTH]}.")
    if brief.plan.action not in rank_actions(figures, judge_causes(brief)):
        faults.append(f"The evidence rules out this action: {format_name(brief.plan.action)}.")
    if brief.plan.action is Action.RETRAIN and any(each.corrupt for each in figures.faults):
        faults.append("The plan would learn from corrupt data.")
    target = brief.plan.target_version
    if brief.plan.action is Action.ROLL_BACK and target not in figures.targets:
        faults.append(f"Version {target} is no version to return to.")
    loss = compute_loss(figures)
    if brief.plan.action.changes_registry and loss is not None and loss <= 0.0:
        faults.append("The plan acts although the metric is not worse.")
    return faults


def _list_doubts(brief: Brief) -> list[str]:
    doubts, figures = [], read_figures(brief)
    likelihoods = list(get_found_causes(brief).values())
    if len(likelihoods) > 1 and likelihoods[0] - likelihoods[1] < _CLOSE_LEAD:
        doubts.append("Another cause explains the evidence nearly as well.")
    if compute_loss(figures) is None:
        doubts.append(NO_LABELS)
    if compute_unseen_season(figures) and compute_loss(figures):
        days = brief.finding.history_days
        doubts.append(
            f"The history covers only {days} days, too few to distinguish a season from a lasting "
            "change."
        )
    if any(fault.corrupt for fault in brief.finding.faults):
        doubts.append("The data is corrupt and must be fixed at its source.")
    return doubts


def _compute_confidence(brief: Brief) -> float:
    """Return the likelihood that the plan is right, by the rules' own view of the evidence."""
    if brief.plan is None:
        return 0.0
    return min(1.0, compute_fitness(brief.plan.action, judge_causes(brief)))


def _summarise(brief: Brief) -> str:
    if brief.plan is None or brief.root_cause is None:
        return "Nothing was proposed."
    version = f" to version {brief.plan.target_version}" if brief.plan.target_version else ""
    return (
        f"{describe_performance(brief)} {describe_moves(brief)} "
        f"The most likely cause is {format_name(brief.root_cause.cause)}. "
        f"Proposed: {format_name(brief.plan.action)}{version}."
    )
