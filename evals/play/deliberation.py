"""Lets `analyst/rules` deliberate on a case, step by step as the agents do, without ADK."""

from agents.analyst.answers import answer_cause, answer_plan, answer_triage
from agents.analyst.review import answer_review
from agents.brief import Brief, read_brief
from agents.briefing import format_request
from agents.case import AgentStep, Case
from agents.records import build_plan, build_review, build_root_cause, build_triage
from trimtab.contracts.base import compute_digest
from trimtab.contracts.deliberation import RULE_ANALYST, Deliberation, DeliberationInput


def deliberate_by_rules(data: DeliberationInput) -> Deliberation:
    """Return the rule analyst's conclusions."""
    case = Case(data=data)
    triage = build_triage(answer_triage(_brief(case, AgentStep.TRIAGE)), case)
    case = case.model_copy(update={"triage": triage})
    root_cause = build_root_cause(answer_cause(_brief(case, AgentStep.CAUSE)), case)
    case = case.model_copy(update={"root_cause": root_cause})
    plan = build_plan(answer_plan(_brief(case, AgentStep.PLAN)), case)
    case = case.model_copy(update={"plan": plan})
    review = build_review(answer_review(_brief(case, AgentStep.REVIEW)), case)
    return Deliberation(
        triage=triage,
        root_cause=root_cause,
        plan=plan,
        plan_hash=compute_digest(plan),
        review=review,
        analyst=RULE_ANALYST,
    )


def _brief(case: Case, step: AgentStep) -> Brief:
    return read_brief(format_request(case, step))
