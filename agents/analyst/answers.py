"""Answers triage, root cause and plan by the rules, with quotes from the evidence."""

from agents.analyst.brief_figures import read_figures
from agents.analyst.quotes import list_moved_columns, quote_support
from agents.analyst.sentences import format_name, list_facts, list_grave_faults
from agents.brief import Brief
from policies.judgement.actions import HORIZON_DAYS, RankedAction, rank_actions
from policies.judgement.figures import compute_loss, find_rollback_target
from policies.second_opinion import judge_figures
from trimtab.contracts.deliberation import (
    Cause,
    Hypothesis,
    OptionReply,
    PlanReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.drift import Severity
from trimtab.contracts.remediation import Action

_MIN_NAMED_LIKELIHOOD = 0.01
_MAX_FOCUS = 3
_MAX_EXPLANATION_LENGTH = 1500


def answer_triage(brief: Brief) -> TriageReply:
    """Return the severity by the figures, the worst columns, and what separates the causes."""
    first, second = list(judge_causes(brief))[:2]
    faulty = [fault.column for fault in list_grave_faults(brief) if fault.column]
    return TriageReply(
        severity=_judge_severity(brief),
        focus=[*dict.fromkeys(faulty + list_moved_columns(brief))][:_MAX_FOCUS],
        question=f"Is this {format_name(first)} or {format_name(second)}?",
    )


def answer_cause(brief: Brief) -> RootCauseReply:
    """Return the causes by likelihood, and the items that support the first one."""
    opinion = judge_figures(read_figures(brief))
    likelihoods = opinion.likelihoods
    cause, second = list(likelihoods)[:2]
    named = [
        (each, likelihood)
        for each, likelihood in likelihoods.items()
        if likelihood >= _MIN_NAMED_LIKELIHOOD or each is second
    ]
    return RootCauseReply(
        cause=cause,
        also=list(opinion.also),
        hypotheses=[
            Hypothesis(cause=each, likelihood=round(likelihood, 4)) for each, likelihood in named
        ],
        citations=quote_support(brief, cause),
        explanation=(
            f"{' '.join(list_facts(brief))} "
            f"The most likely cause is {format_name(cause)} ({likelihoods[cause]:.2f}), "
            f"followed by {format_name(second)} ({likelihoods[second]:.2f})."
        )[:_MAX_EXPLANATION_LENGTH],
        confidence=round(likelihoods[cause], 4),
    )


def answer_plan(brief: Brief) -> PlanReply:
    """Return the fittest action, and the other possible ones."""
    likelihoods = get_found_causes(brief)
    figures = read_figures(brief)
    ranked = rank_actions(figures, likelihoods)
    action = next(iter(ranked))
    cause = Cause.BAD_RELEASE if action is Action.ROLL_BACK else next(iter(likelihoods))
    target = find_rollback_target(figures) if action is Action.ROLL_BACK else None
    return PlanReply(
        action=action,
        target_version=target.name if target else None,
        options=[_build_option(each, found, brief) for each, found in ranked.items()],
        citations=quote_support(brief, cause),
        confidence=round(min(1.0, ranked[action].fitness), 4),
    )


def judge_causes(brief: Brief) -> dict[Cause, float]:
    """Return the likelihood of each cause by the rules, the most likely first."""
    return judge_figures(read_figures(brief)).likelihoods


def get_found_causes(brief: Brief) -> dict[Cause, float]:
    """Return the investigator's likelihoods, or those of the rules if there is no answer yet."""
    return brief.root_cause.likelihoods if brief.root_cause else judge_causes(brief)


def _judge_severity(brief: Brief) -> Severity:
    """Return the detector's severity within the limits that the figures set.

    It is at least HIGH for corrupt data, and otherwise at most MEDIUM if the metric is within its
    tolerance.
    """
    if any(fault.corrupt for fault in brief.finding.faults):
        return max(brief.finding.severity, Severity.HIGH, key=lambda each: each.rank)
    loss = compute_loss(read_figures(brief))
    if loss is not None and loss <= 1.0:
        return min(brief.finding.severity, Severity.MEDIUM, key=lambda each: each.rank)
    return brief.finding.severity


def _build_option(action: Action, ranked: RankedAction, brief: Brief) -> OptionReply:
    best = find_rollback_target(read_figures(brief))
    texts = {
        Action.MONITOR: (
            "Costs nothing and changes nothing.",
            "If the metric is worse, it stays worse until somebody acts.",
        ),
        Action.WAIT: (
            "Costs nothing; the next windows will show more.",
            "If the metric is worse, it stays worse until then.",
        ),
        Action.FIX_SOURCE: (
            "The owner is told what is broken; the model needs no change once it is mended.",
            "Until it is mended, the model answers from broken data.",
        ),
        Action.RETRAIN: (
            "A version trained on the newest rows, promoted only if it beats the champion.",
            "Recent patterns may not last, and the model may forget older ones.",
        ),
        Action.ROLL_BACK: (
            f"Version {best.name if best else '?'} serves at once; nothing has to be trained.",
            "The earlier version was not trained on newer data.",
        ),
    }
    benefit, risk = texts[action]
    worth = f"{ranked.benefit:,.0f} {brief.model.currency} in {HORIZON_DAYS} days"
    return OptionReply(
        action=action,
        rationale=(
            f"Fits the causes found with a weight of {ranked.fitness:.2f}; expected to be worth "
            f"{worth}, its own cost taken off."
        ),
        benefit=benefit,
        risk=risk,
    )
