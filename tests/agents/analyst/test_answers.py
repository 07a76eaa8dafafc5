"""The built-in analyst's replies are true to the evidence and to the schemas."""

from typing import Any

import pytest

from agents.analyst.answers import answer_cause, answer_plan, answer_triage
from agents.analyst.brief_figures import find_item
from agents.analyst.review import answer_review
from agents.brief import Brief, CauseBrief, PlanBrief
from agents.case import AgentStep
from tests.agents.analyst.test_causes import CLEAR_CASES, a_fault, moved
from tests.agents.cases import a_brief, bad_release_pack, performance
from trimtab.contracts.deliberation import Cause, PlanReply, RootCauseReply
from trimtab.contracts.drift import Severity
from trimtab.contracts.remediation import Action


def found(brief: Brief, **changes: Any) -> Brief:
    """The brief as the strategist gets it."""
    cause = answer_cause(brief)
    fields: dict[str, Any] = {
        "cause": cause.cause,
        "likelihoods": {each.cause: each.likelihood for each in cause.hypotheses},
        "explanation": cause.explanation,
        "citations": tuple(citation.evidence_id for citation in cause.citations),
    }
    return brief.model_copy(update={"root_cause": CauseBrief(**{**fields, **changes})})


def planned(brief: Brief, **changes: Any) -> Brief:
    """The brief as the reviewer gets it."""
    with_cause = found(brief)
    plan = answer_plan(with_cause)
    fields: dict[str, Any] = {
        "action": plan.action,
        "target_version": plan.target_version,
        "rationale": "",
        "citations": tuple(citation.evidence_id for citation in plan.citations),
    }
    return with_cause.model_copy(update={"plan": PlanBrief(**{**fields, **changes})})


FINDINGS = [finding for finding, _, _ in CLEAR_CASES]


@pytest.mark.parametrize("finding", FINDINGS)
def test_every_quote_stands_in_the_evidence(finding: dict[str, Any]) -> None:
    brief = a_brief(**finding)
    replies: list[RootCauseReply | PlanReply] = [
        answer_cause(brief),
        answer_plan(found(brief)),
    ]

    for citation in [each for reply in replies for each in reply.citations]:
        item = find_item(brief, citation.evidence_id)
        assert item is not None
        assert citation.quote in item.statement


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_analyst_agrees_with_itself(finding: dict[str, Any]) -> None:
    review = answer_review(planned(a_brief(**finding)))

    assert review.agrees
    assert review.confidence > 0.5


def test_two_items_at_least_are_cited() -> None:
    assert len(answer_cause(a_brief()).citations) >= 2


def test_its_confidence_is_what_it_gives_its_cause() -> None:
    reply = answer_cause(a_brief())

    assert reply.confidence == reply.hypotheses[0].likelihood
    assert reply.hypotheses[0].cause is reply.cause


def test_a_close_case_is_answered_with_less_confidence_and_a_concern() -> None:
    close = a_brief(features=moved(target=0.15))

    assert answer_cause(close).confidence < 0.6
    assert "nearly as well" in " ".join(answer_review(planned(close)).concerns)


def test_several_causes_that_call_for_one_action_make_that_action_sure() -> None:
    close = found(a_brief(features=moved(target=0.15)))

    assert answer_plan(close).action is Action.RETRAIN
    assert answer_plan(close).confidence > 0.8


def test_a_rollback_names_the_better_version() -> None:
    brief = a_brief(pack=bad_release_pack())

    reply = answer_plan(found(brief))

    assert (reply.action, reply.target_version) == (Action.ROLL_BACK, "2")
    assert reply.citations[0].evidence_id == "metric:version-2"


def test_a_metric_within_its_tolerance_is_at_most_of_medium_severity() -> None:
    calm = a_brief(AgentStep.TRIAGE, performance=performance(0.92), severity=Severity.CRITICAL)

    assert answer_triage(calm).severity is Severity.MEDIUM


def test_corrupt_data_is_at_least_of_high_severity_and_in_focus() -> None:
    broken = a_brief(AgentStep.TRIAGE, quality=(a_fault(),), severity=Severity.LOW)

    reply = answer_triage(broken)

    assert reply.severity is Severity.HIGH
    assert reply.focus[0] == "Capacity"


@pytest.mark.parametrize(
    ("finding", "plan", "concern"),
    [
        ({"quality": (a_fault(),)}, {"action": Action.RETRAIN}, "learn from corrupt data"),
        (
            {},
            {"action": Action.ROLL_BACK, "target_version": "1"},
            "rules out this action: roll back",
        ),
        (
            {"performance": performance(0.93)},
            {"action": Action.RETRAIN},
            "is not worse",
        ),
        ({}, {"citations": ("drift:Salary",)}, "not in the evidence: drift:Salary"),
    ],
)
def test_the_review_does_not_agree_with_what_the_evidence_forbids(
    finding: dict[str, Any], plan: dict[str, Any], concern: str
) -> None:
    review = answer_review(planned(a_brief(**finding), **plan))

    assert not review.agrees
    assert concern in " ".join(review.concerns)
    assert review.confidence == 0.0


def test_a_plan_that_follows_somebody_elses_cause_is_reviewed_by_the_evidence() -> None:
    wrong = found(a_brief(), cause=Cause.HARMLESS, likelihoods={Cause.HARMLESS: 1.0})
    plan = PlanBrief(action=Action.MONITOR, rationale="")

    review = answer_review(wrong.model_copy(update={"plan": plan}))

    assert review.confidence < 0.1
