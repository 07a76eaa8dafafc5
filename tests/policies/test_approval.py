"""Whose answers settle the question, and what a person is asked."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from policies.approval import (
    build_approval_request,
    build_approval_terms,
    check_approvals,
    find_settling_answer,
    is_approval,
    judge_answer,
    list_approvers,
)
from policies.approval_signature import compute_key_fingerprint, format_public_key, sign_decision
from policies.decision import decide
from policies.incident import Investigation, collect_facts
from tests.builders import (
    NOW,
    a_deliberation,
    a_plan,
    a_question,
    a_spec,
    an_incident,
    an_investigation,
    the_facts,
)
from trimtab.contracts.approval import Answer, Choice, HumanDecision
from trimtab.contracts.approvers import ApprovalTerms, Approver, is_reserved_name
from trimtab.contracts.decision import Decision, Limits
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import Tier
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action

HASH = "a" * 64
HOUR = timedelta(hours=1)
ADA, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))


def a_key(key: Ed25519PrivateKey) -> str:
    return format_public_key(key)


def the_terms(**changes: Any) -> ApprovalTerms:
    fields: dict[str, Any] = {
        "incident": "event-1",
        "model": "parking",
        "plan_hash": HASH,
        "tier": Tier.CRITICAL,
        "approvers": {"ada": Approver(keys=(a_key(ADA),)), "bob": Approver(keys=(a_key(BOB),))},
        "asked_at": NOW,
        "deadline": NOW + 4 * HOUR,
        "proposer": "analyst/rules",
    }
    return ApprovalTerms(**{**fields, **changes})


def the_terms_of(case: Investigation, decision: Decision | None = None) -> ApprovalTerms:
    limits = case.incident.limits
    question = a_question(plan=case.plan, facts=collect_facts(case, now=NOW), limits=limits)
    return build_approval_terms(
        case.incident,
        question,
        decision or decide(question),
        proposer="analyst/rules",
        asked_at=NOW,
    )


def an_answer(
    approver: str = "ada", decision: Choice = Choice.APPROVE, *, plan_hash: str = HASH
) -> HumanDecision:
    return HumanDecision(plan_hash=plan_hash, approver=approver, decision=decision)


def signed(
    answer: HumanDecision | None = None,
    key: Ed25519PrivateKey = ADA,
    *,
    at: datetime = NOW + HOUR,
    incident: str = "event-1",
    model: str = "parking",
) -> HumanDecision:
    return sign_decision(
        answer or an_answer(), incident=incident, model=model, key=key, signed_at=at
    )


def judged(
    answer: HumanDecision,
    *,
    terms: ApprovalTerms | None = None,
    earlier: tuple[Answer, ...] = (),
    at: datetime = NOW + HOUR,
    sealed: bool = False,
) -> Answer:
    return judge_answer(answer, terms=terms or the_terms(), earlier=earlier, now=at, sealed=sealed)


def all_judged(
    *answers: HumanDecision, terms: ApprovalTerms, at: datetime = NOW + HOUR
) -> tuple[Answer, ...]:
    found: tuple[Answer, ...] = ()
    for each in answers:
        found = (*found, judged(each, terms=terms, earlier=found, at=at))
    return found


def kind(answer: Answer) -> str:
    return answer.note.partition(":")[0]


def test_an_answer_in_time_to_the_right_plan_settles_the_question() -> None:
    answer = judged(an_answer())

    assert (answer.accepted, answer.note) == (True, "")
    assert find_settling_answer([answer], the_terms()) == answer


@pytest.mark.parametrize(
    ("note", "answer", "at"),
    [
        ("late", an_answer(), NOW + 4 * HOUR),
        ("other plan", an_answer(plan_hash="b" * 64), NOW),
        ("other plan", an_answer(plan_hash=""), NOW),
        ("unlisted", an_answer("mallory"), NOW),
        ("unlisted", an_answer("Ada"), NOW),
        ("unlisted", an_answer(" ada"), NOW),
        ("unlisted", an_answer("ada\x1b[2K"), NOW),
        ("unlisted", an_answer("policy"), NOW),
        ("unlisted", an_answer("analyst/rules"), NOW),
    ],
)
def test_any_other_answer_is_named_for_what_it_is(
    note: str, answer: HumanDecision, at: datetime
) -> None:
    found = judged(answer, at=at)

    assert not found.accepted
    assert kind(found) == note


def test_only_an_accepted_yes_approves() -> None:
    assert is_approval(judged(an_answer()))
    assert not is_approval(judged(an_answer(decision=Choice.REJECT)))
    assert not is_approval(judged(an_answer("mallory")))


@pytest.mark.parametrize(
    "order", [(Choice.APPROVE, Choice.REJECT), (Choice.REJECT, Choice.APPROVE)]
)
def test_of_an_approval_and_a_rejection_in_the_same_instant_the_rejection_wins(
    order: tuple[Choice, Choice],
) -> None:
    answers = all_judged(
        *(an_answer("ada" if each is Choice.APPROVE else "bob", each) for each in order),
        terms=the_terms(),
    )

    settling = find_settling_answer(answers, the_terms())
    assert settling is not None
    assert not is_approval(settling)


def test_an_answer_cannot_command_a_terminal() -> None:
    answer = HumanDecision(
        plan_hash=HASH,
        approver="ada\x1b[2J",
        decision=Choice.REJECT,
        reason="no\nANSWER run this instead: curl\x07",
    )

    assert answer.approver == "ada [2J"
    assert answer.reason == "no ANSWER run this instead: curl "


def test_an_unlisted_name_cannot_approve_what_a_listed_person_rejects() -> None:
    answers = all_judged(an_answer("mallory"), an_answer("ada", Choice.REJECT), terms=the_terms())

    assert [kind(each) for each in answers] == ["unlisted", ""]
    with pytest.raises(Refused, match="ada rejected"):
        check_approvals(answers, terms=the_terms(), now=NOW + HOUR)


def test_a_rejection_comes_too_late_once_the_plan_is_carried_out() -> None:
    approved = judged(an_answer())

    late = judged(an_answer("bob", Choice.REJECT), earlier=(approved,), sealed=True)

    assert kind(late) == "duplicate"


def test_one_person_counts_once_however_the_name_is_written() -> None:
    terms = the_terms(approvers={}, approvals_needed=2)
    answers = all_judged(an_answer("ada"), an_answer("ADA"), terms=terms)

    assert [kind(each) for each in answers] == ["", "duplicate"]
    assert find_settling_answer(answers, terms) is None
    with pytest.raises(Refused, match="needs 2 approval"):
        check_approvals(answers, terms=terms, now=NOW + HOUR)


def test_two_people_approve_what_needs_two() -> None:
    terms = the_terms(approvals_needed=2)
    answers = all_judged(an_answer("ada"), an_answer("bob"), terms=terms)

    assert find_settling_answer(answers, terms) == answers[1]
    assert check_approvals(answers, terms=terms, now=NOW + HOUR) == ("ada", "bob")


def test_a_tier_limits_what_a_person_may_approve_and_not_what_they_may_reject() -> None:
    terms = the_terms(approvers={"ada": Approver(tiers=(Tier.STANDARD,))})

    assert kind(judged(an_answer(), terms=terms)) == "unlisted"
    assert judged(an_answer(decision=Choice.REJECT), terms=terms).accepted


def test_the_proposer_is_not_an_approver() -> None:
    terms = the_terms(approvers={}, proposer="Custom Analyst")

    assert kind(judged(an_answer("custom analyst"), terms=terms)) == "unlisted"
    assert is_reserved_name("ollama/qwen3")
    assert is_reserved_name("Trimtab")


def test_where_signatures_are_required_a_name_alone_is_nothing() -> None:
    terms = the_terms(require_signature=True)

    assert kind(judged(an_answer(), terms=terms)) == "unsigned"
    assert judged(signed(), terms=terms).accepted
    assert check_approvals([judged(signed(), terms=terms)], terms=terms, now=NOW + HOUR) == ("ada",)


def test_where_signatures_are_required_and_nobody_is_listed_nobody_counts() -> None:
    terms = the_terms(require_signature=True, approvers={})

    assert kind(judged(signed(), terms=terms)) == "unlisted"


def test_a_false_signature_never_counts_even_where_none_is_required() -> None:
    assert kind(judged(signed(key=EVE))) == "bad signature"
    assert judged(an_answer()).accepted


def test_the_mint_believes_no_flag_that_the_gate_set() -> None:
    terms = the_terms(require_signature=True)
    forged = Answer(decision=an_answer(), received_at=NOW + HOUR, accepted=True)

    with pytest.raises(Refused, match="unsigned"):
        check_approvals([forged], terms=terms, now=NOW + HOUR)


def test_an_old_approval_is_stale_at_the_mint() -> None:
    terms = the_terms(require_signature=True)
    answer = judged(signed(), terms=terms)

    with pytest.raises(Refused, match="stale"):
        check_approvals([answer], terms=terms, now=NOW + 24 * HOUR)


def test_incidents_from_before_listed_approvers_keep_their_terms() -> None:
    terms = the_terms(strict=False)
    answers = all_judged(an_answer("anyone"), an_answer("other", Choice.REJECT), terms=terms)

    assert [kind(each) for each in answers] == ["", "duplicate"]


def test_of_500_forged_replayed_expired_and_unlisted_answers_none_counts() -> None:
    terms = the_terms(require_signature=True, approvals_needed=2)
    bad = [make(number) for number in range(72) for make in FORGERIES]

    answers = all_judged(*bad, terms=terms)

    assert len(bad) >= 500
    assert [each for each in answers if each.accepted] == []
    claimed = [each.model_copy(update={"accepted": True, "note": ""}) for each in answers]
    for each in claimed:
        with pytest.raises(Refused):
            check_approvals([each], terms=terms, now=NOW + HOUR)
    valid = all_judged(*bad, signed(), signed(an_answer("bob"), BOB), terms=terms)
    assert [each.accepted for each in valid[-2:]] == [True, True]
    honest = [*claimed, *valid[-2:]]
    assert check_approvals(honest, terms=terms, now=NOW + HOUR) == ("ada", "bob")


def _flip_a_bit(number: int) -> HumanDecision:
    """One bit of a valid signature is changed."""
    answer = signed()
    raw = bytearray(base64.b64decode(answer.signature))
    raw[number % len(raw)] ^= 1 << number % 8
    return answer.model_copy(update={"signature": base64.b64encode(bytes(raw)).decode()})


FORGERIES: tuple[Callable[[int], HumanDecision], ...] = (
    lambda number: an_answer(f"mallory{number}"),
    lambda number: signed(an_answer(f"mallory{number}"), EVE),
    lambda number: signed(key=Ed25519PrivateKey.from_private_bytes(bytes([4 + number]) * 32)),
    _flip_a_bit,
    lambda number: signed(incident=f"event-{number + 2}"),
    lambda number: signed(model=f"parking{number}"),
    lambda number: signed(an_answer("bob"), ADA).model_copy(update={"reason": f"{number}"}),
    lambda number: signed(an_answer(decision=Choice.REJECT)).model_copy(
        update={"decision": Choice.APPROVE}
    ),
    lambda number: signed(an_answer(plan_hash="b" * 64)).model_copy(update={"plan_hash": HASH}),
    lambda number: signed(at=NOW - 6 * HOUR - number * HOUR),
    lambda number: signed(at=NOW + 2 * HOUR + number * HOUR),
    lambda number: signed().model_copy(update={"signed_at": NOW + timedelta(seconds=number)}),
    lambda number: an_answer(("ada", "bob")[number % 2]),
    lambda number: signed().model_copy(update={"approver": "bob"}),
)
"""Ways to make an answer that must not count, each by a number."""


@given(
    names=st.lists(st.sampled_from(["ada", "bob", "mallory"]), max_size=6),
    choices=st.lists(st.sampled_from(Choice), min_size=6, max_size=6),
    needed=st.integers(1, 3),
)
def test_what_the_gate_grants_the_mint_grants_for_the_same_people(
    names: list[str], choices: list[Choice], needed: int
) -> None:
    terms = the_terms(approvals_needed=needed)
    given_answers = [an_answer(name, choice) for name, choice in zip(names, choices, strict=False)]
    answers = all_judged(*given_answers, terms=terms)

    settling = find_settling_answer(answers, terms)

    if settling is not None and is_approval(settling):
        approvers = check_approvals(answers, terms=terms, now=NOW + HOUR)
        assert len(approvers) >= needed
        assert "mallory" not in approvers
    else:
        with pytest.raises(Refused):
            check_approvals(answers, terms=terms, now=NOW + HOUR)


def test_without_a_list_the_owner_and_the_local_user_answer() -> None:
    spec = a_spec(owner="ml-platform@example.com")

    assert set(list_approvers(Limits(), spec, local_user="ada")) == {
        "ml-platform@example.com",
        "ada",
    }
    listed = Limits(approvers={"bob": Approver()})
    assert set(list_approvers(listed, spec, local_user="ada")) == {"bob"}
    assert list_approvers(Limits(), a_spec(), local_user="") == {}


@pytest.mark.parametrize(
    ("limits", "needed"),
    [
        (Limits(), 1),
        (Limits(approvals_needed={Tier.STANDARD: 3}), 3),
        (Limits(approvals_needed={Tier.CRITICAL: 3}), 1),
        (Limits(two_approvals_from=Severity.HIGH), 2),
        (Limits(two_approvals_from=Severity.CRITICAL), 2),
        (Limits(two_approvals_above=Decimal(4)), 2),
        (Limits(two_approvals_above=Decimal(5)), 1),
        (Limits(two_approvals_above=Decimal(50), currency="USD"), 2),
    ],
)
def test_two_people_decide_above_a_stated_risk(limits: Limits, needed: int) -> None:
    case = an_investigation(incident=an_incident(limits=limits))

    terms = the_terms_of(case)

    assert terms.approvals_needed == needed


def test_one_person_suffices_to_take_over_what_changes_nothing() -> None:
    case = an_investigation(
        incident=an_incident(limits=Limits(approvals_needed={Tier.STANDARD: 3})),
        deliberation=a_deliberation(plan=a_plan(action=Action.MONITOR)),
    )

    terms = the_terms_of(case)

    assert terms.approvals_needed == 1


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints() -> None:
    assert (
        compute_key_fingerprint(a_key(ADA)) == "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8"
    )


def test_the_request_names_model_owner_rule_and_deadline() -> None:
    limits = Limits(approval_timeout=timedelta(hours=2))
    case = an_investigation(incident=an_incident(limits=limits))
    decision = decide(a_question(facts=the_facts(tier=Tier.CRITICAL)))
    terms = the_terms_of(case, decision)

    request = build_approval_request(case, decision, workflow_id="w", terms=terms)

    assert request.title == "parking: high drift needs a decision (allowed_actions)"
    assert request.plan_hash == decision.plan_hash
    assert request.deadline == NOW + timedelta(hours=2)
    assert decision.plan_hash in request.page
