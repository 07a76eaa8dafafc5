"""Which answers settle the question, and what a person is asked."""

from datetime import timedelta

import pytest

from policies.approval import build_approval_request, is_approval, judge_answer
from policies.decision import decide
from tests.builders import NOW, a_question, an_incident, an_investigation, the_facts
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.decision import Limits
from trimtab.contracts.model import Tier

HASH = "a" * 64


def an_answer(plan_hash: str = HASH, decision: Choice = Choice.APPROVE) -> HumanDecision:
    return HumanDecision(plan_hash=plan_hash, approver="ada", decision=decision)


def judged(answer: HumanDecision, *, settled: bool = False, late: bool = False) -> Answer:
    return judge_answer(
        answer,
        plan_hash=HASH,
        settled=settled,
        open_until=NOW if late else NOW + timedelta(hours=1),
        now=NOW,
    )


def test_an_answer_in_time_to_the_right_plan_settles_the_question() -> None:
    answer = judged(an_answer())

    assert (answer.accepted, answer.note) == (True, "")


@pytest.mark.parametrize(
    ("kind", "answer", "settled", "late"),
    [
        ("duplicate", an_answer(), True, False),
        ("late", an_answer(), False, True),
        ("other plan", an_answer("b" * 64), False, False),
        ("other plan", an_answer(""), False, False),
    ],
)
def test_any_other_answer_is_named_for_what_it_is(
    kind: str, answer: HumanDecision, *, settled: bool, late: bool
) -> None:
    found = judged(answer, settled=settled, late=late)

    assert not found.accepted
    assert found.note.startswith(f"{kind}: ")


def test_only_an_accepted_yes_approves() -> None:
    assert is_approval(judged(an_answer()))
    assert not is_approval(judged(an_answer(decision=Choice.REJECT)))
    assert not is_approval(judged(an_answer(), settled=True))


def test_the_request_names_model_owner_rule_and_deadline() -> None:
    limits = Limits(approval_timeout=timedelta(hours=2))
    case = an_investigation(incident=an_incident(limits=limits))
    decision = decide(a_question(facts=the_facts(tier=Tier.CRITICAL)))

    request = build_approval_request(case, decision, workflow_id="w", asked_at=NOW)

    assert request.title == "parking: high drift needs a decision (allowed_actions)"
    assert request.plan_hash == decision.plan_hash
    assert request.deadline == NOW + timedelta(hours=2)
    assert decision.plan_hash in request.page
