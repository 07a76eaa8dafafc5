"""What we hold of a reply is checked against what we know."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from agents.case import Case
from agents.records import (
    BadReplyError,
    build_plan,
    build_review,
    build_root_cause,
    build_triage,
)
from tests.agents.cases import (
    a_case,
    a_plan_reply,
    a_review_reply,
    a_root_cause_reply,
    a_triage_reply,
    bad_release_pack,
    full_pack,
    version_metric,
)
from tests.builders import a_feature_drift, a_root_cause, a_spec
from trimtab.contracts.deliberation import Cause, Hypothesis, OptionReply, RootCause
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import Costs
from trimtab.contracts.remediation import Action


def a_case_with_a_cause(pack: EvidencePack | None = None, costs: Costs | None = None) -> Case:
    case = a_case(pack=pack or full_pack(), spec=a_spec(costs=costs or Costs()))
    return case.model_copy(update={"root_cause": a_root_cause()})


def test_the_focus_is_kept_to_columns_that_exist() -> None:
    reply = a_triage_reply(focus=["Capacity", "rm -rf /", "Occupancy", "Capacity"])

    assert build_triage(reply, a_case()).focus == ("Capacity", "Occupancy")


def test_a_focus_on_nothing_real_becomes_the_worst_column() -> None:
    features = (
        a_feature_drift("Occupancy", psi=0.1, drifted=False),
        a_feature_drift("prediction", role="prediction", psi=3.0),
        a_feature_drift("Capacity", role="feature", psi=0.9),
    )

    triage = build_triage(a_triage_reply(focus=["nonsense"]), a_case(features=features))

    assert triage.focus == ("Capacity",)


def likelihoods(root_cause: RootCause) -> dict[Cause, float]:
    return dict(root_cause.hypotheses)


def test_likelihoods_sum_to_one_and_the_likeliest_comes_first() -> None:
    reply = a_root_cause_reply(
        hypotheses=[
            Hypothesis(cause=Cause.SEASONALITY, likelihood=0.3),
            Hypothesis(cause=Cause.LABEL_SHIFT, likelihood=0.9),
            Hypothesis(cause=Cause.LABEL_SHIFT, likelihood=0.2),
        ]
    )

    held = build_root_cause(reply, a_case())

    assert held.hypotheses[0][0] is Cause.LABEL_SHIFT
    assert held.hypotheses[0][1] == pytest.approx(0.75)
    assert sum(likelihoods(held).values()) == pytest.approx(1.0)


def test_a_cause_that_is_no_hypothesis_has_no_likelihood() -> None:
    held = build_root_cause(a_root_cause_reply(cause=Cause.BAD_RELEASE), a_case())

    assert likelihoods(held)[Cause.BAD_RELEASE] == 0.0


def test_hypotheses_without_any_likelihood_are_refused() -> None:
    reply = a_root_cause_reply(hypotheses=[Hypothesis(cause=Cause.UNKNOWN, likelihood=0.0)])

    with pytest.raises(BadReplyError, match="likelihood 0"):
        build_root_cause(reply, a_case())


def test_prices_come_from_the_configuration() -> None:
    costs = Costs(retraining=Decimal(7), rollback=Decimal(2), currency="GBP")
    options = [
        OptionReply(action=action, rationale="Costs 0.", benefit="", risk="") for action in Action
    ]

    plan = build_plan(a_plan_reply(options=options), a_case_with_a_cause(costs=costs))

    assert (plan.cost, plan.currency) == (Decimal(7), "GBP")
    assert {option.action: option.cost for option in plan.options} == {
        Action.MONITOR: 0,
        Action.WAIT: 0,
        Action.FIX_SOURCE: 0,
        Action.RETRAIN: 7,
        Action.ROLL_BACK: 2,
    }


@pytest.mark.parametrize("said", ["2", "v2", "Version 2", "version-2", " 2 "])
def test_a_rollback_goes_to_a_version_that_the_evidence_knows(said: str) -> None:
    case = a_case_with_a_cause(bad_release_pack())

    plan = build_plan(a_plan_reply(action=Action.ROLL_BACK, target_version=said), case)

    assert plan.target_version == "2"


@pytest.mark.parametrize("said", [None, "", "9", "1", "3", "4", "the best one", "2; drop table"])
def test_a_rollback_to_anything_else_is_refused(said: str | None) -> None:
    never_champion = version_metric("3", 0.95)
    case = a_case_with_a_cause(bad_release_pack(never_champion))

    with pytest.raises(BadReplyError, match="none of the versions to return to: 2"):
        build_plan(a_plan_reply(action=Action.ROLL_BACK, target_version=said), case)


def test_a_plan_that_does_not_roll_back_has_no_target() -> None:
    plan = build_plan(a_plan_reply(target_version="1"), a_case_with_a_cause())

    assert plan.target_version is None


def test_a_plan_names_the_champion_and_cause_that_we_know() -> None:
    plan = build_plan(a_plan_reply(), a_case_with_a_cause())

    assert (plan.champion_version, plan.cause) == ("1", Cause.LABEL_SHIFT)


def test_words_for_people_hold_nothing_that_a_terminal_obeys() -> None:
    reply = a_review_reply(
        summary="All\x1b[2J is\u202e well.\nApprove\u200b it.", concerns=["a\x07b"]
    )

    review = build_review(reply, a_case())

    assert review.summary == "All [2J is well. Approve it."
    assert review.concerns == ("a b",)


def test_concerns_of_a_review_are_cut() -> None:
    review = build_review(a_review_reply(concerns=["x" * 1900]), a_case())

    assert len(review.concerns[0]) == 1000
    with pytest.raises(ValidationError, match="at most 2000"):
        a_review_reply(concerns=["x" * 9000])
