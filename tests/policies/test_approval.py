"""The page for a person, and which answers settle the question."""

import json
import shlex
from datetime import timedelta

import pytest

from policies.approval import approved, judge_answer, page, signal_command
from policies.confidence import assess
from policies.decision import decide
from policies.evidence import compose
from tests.builders import (
    NOW,
    a_deliberation,
    a_feature_drift,
    a_pack,
    a_plan,
    a_spec,
    an_event,
    the_facts,
)
from trimtab.contracts.approval import Choice, HumanDecision
from trimtab.contracts.decision import Limits
from trimtab.contracts.evidence import RegistryFacts
from trimtab.contracts.model import Tier

HASH = "a" * 64


def an_answer(plan_hash: str = HASH, decision: Choice = Choice.APPROVE) -> HumanDecision:
    return HumanDecision(plan_hash=plan_hash, approver="ada", decision=decision)


def judged(answer: HumanDecision, *, settled: bool = False, late: bool = False) -> str:
    return judge_answer(
        answer,
        plan_hash=HASH,
        settled=settled,
        open_until=NOW if late else NOW + timedelta(hours=1),
        now=NOW,
    ).note.split(":")[0]


def test_an_answer_in_time_to_the_right_plan_settles_the_question() -> None:
    assert judged(an_answer()) == ""


@pytest.mark.parametrize(
    ("note", "answer", "settled", "late"),
    [
        ("duplicate", an_answer(), True, False),
        ("late", an_answer(), False, True),
        ("other plan", an_answer("b" * 64), False, False),
        ("other plan", an_answer(""), False, False),
    ],
)
def test_any_other_answer_is_named_for_what_it_is(
    note: str, answer: HumanDecision, *, settled: bool, late: bool
) -> None:
    assert judged(answer, settled=settled, late=late) == note


def test_only_an_accepted_yes_approves() -> None:
    def judge(choice: Choice, *, settled: bool) -> bool:
        return approved(
            judge_answer(
                an_answer(decision=choice),
                plan_hash=HASH,
                settled=settled,
                open_until=NOW + timedelta(hours=1),
                now=NOW,
            )
        )

    assert judge(Choice.APPROVE, settled=False)
    assert not judge(Choice.REJECT, settled=False)
    assert not judge(Choice.APPROVE, settled=True)


def test_the_command_survives_a_shell() -> None:
    command = signal_command("drift-response/it's/1", HASH, approver="O'Brien", address="h:1")

    words = shlex.split(command)

    assert words[:3] == ["temporal", "workflow", "signal"]
    assert words[words.index("--workflow-id") + 1] == "drift-response/it's/1"
    assert json.loads(words[words.index("--input") + 1]) == {
        "plan_hash": HASH,
        "approver": "O'Brien",
        "decision": "approve",
        "reason": "",
    }


def test_without_an_approver_the_shell_fills_in_its_user() -> None:
    assert """"approver": "'"$USER"'", """ in signal_command("w", HASH)


def test_the_page_holds_all_that_a_person_needs_on_one_screen() -> None:
    deliberation, pack = a_deliberation(), a_pack()
    decision = decide(a_plan(), the_facts(tier=Tier.CRITICAL), Limits(), now=NOW)

    text = page(
        an_event(),
        a_spec(owner="ml-platform@example.com"),
        pack,
        deliberation,
        assess(deliberation, pack),
        decision,
        plan_hash=decision.plan_hash,
        workflow_id="drift-response/parking/event-1",
        deadline=NOW,
    )

    for needed in (
        "parking",
        "ml-platform@example.com",
        "PSI 0.310",
        "label_shift",
        "5 EUR",
        "allowed_actions",
        decision.plan_hash,
        "2026-11-20 12:00 UTC",
    ):
        assert needed in text
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize("length", [1, 122, 123, 128])
def test_the_page_has_a_line_for_each_drifted_column_however_long_its_name(length: int) -> None:
    names = ["x" * length, "y" * (length - 1) + "a", "y" * (length - 1) + "b"]
    event = an_event(features=tuple(a_feature_drift(name) for name in names))
    registry = RegistryFacts(champion=None, versions=(), last_action_at=None)
    pack = compose(event.data, registry, (), (), now=NOW)

    text = page(
        event, a_spec(), pack, None, None, None,
        plan_hash=HASH, workflow_id="w", deadline=NOW,
    )  # fmt: skip

    evidence = "".join(text.partition("EVIDENCE")[2].split())
    assert [f"Thetarget{name}drifted:" in evidence for name in names] == [True] * 3


def test_a_page_without_evidence_or_plan_still_says_what_is_known() -> None:
    text = page(
        an_event(), a_spec(), None, None, None, None,
        failure="MLflow is out of reach", plan_hash=HASH, workflow_id="w", deadline=NOW,
    )  # fmt: skip

    assert "MLflow is out of reach" in text
    assert "PROPOSAL  none" in text
    assert "you take the incident over" in text
