"""The policy as a table and as properties."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.decision import decide
from tests.builders import NOW, a_plan, a_question, the_facts
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Blackout, Decision, Facts, Limits, Verdict
from trimtab.contracts.deliberation import Cause, RemediationPlan
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import Tier
from trimtab.contracts.remediation import Action


def decided(
    *, plan: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **facts: Any
) -> Decision:
    return decide(a_question(a_plan(**(plan or {})), the_facts(**facts), Limits(**(limits or {}))))


def test_a_sound_and_confident_plan_executes() -> None:
    decision = decided()

    assert decision.verdict is Verdict.EXECUTE
    assert decision.rule == "all_rules"
    assert {result.verdict for result in decision.results} == {Verdict.EXECUTE}


def test_a_confidence_of_exactly_the_limit_does_not_execute() -> None:
    assert decided(confidence=0.80).verdict is Verdict.ESCALATE
    assert decided(confidence=0.8000001).verdict is Verdict.EXECUTE


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        ("deliberation", {"deliberation_failed": True}),
        ("champion_identity", {"champion_version": None}),
        ("champion_identity", {"champion_version": "2"}),
        ("rollback_target", {"plan": {"action": Action.ROLL_BACK}}),
        ("rollback_target", {"plan": {"action": Action.ROLL_BACK, "target_version": "1"}}),
        ("data_quality", {"corrupt": True}),
        ("allowed_actions", {"tier": Tier.CRITICAL}),
        ("confidence_threshold", {"confidence": 0.5}),
        ("review", {"reviewer_agrees": False}),
        ("cost_limit", {"plan": {"cost": Decimal("100.01")}}),
        ("cost_limit", {"plan": {"currency": "USD"}}),
        ("rules_agree", {"rules_support": False}),
        ("rules_agree", {"rules_likelihood": 0.0999}),
        ("cooldown", {"last_action_at": NOW + timedelta(days=400_000)}),
        ("event_signature", {"event_signed": False}),
    ],
)
def test_one_broken_rule_escalates_and_is_named(rule: str, case: dict[str, Any]) -> None:
    decision = decided(**case)

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, rule)


def test_a_rollback_waits_for_a_person_when_the_model_is_critical() -> None:
    plan = {"action": Action.ROLL_BACK, "target_version": "3", "champion_version": "4"}
    facts: dict[str, Any] = {
        "champion_version": "4",
        "measured_metrics": {"3": 0.9, "4": 0.78},
        "former_champions": ("3",),
    }

    assert decided(plan=plan, **facts).verdict is Verdict.EXECUTE
    assert decided(plan=plan, **facts, tier=Tier.CRITICAL).verdict is Verdict.ESCALATE


def test_a_tier_that_the_policy_does_not_name_may_execute_nothing() -> None:
    assert decided(limits={"allowed_actions": {}}).rule == "allowed_actions"


def test_a_cost_of_exactly_the_limit_is_within_it() -> None:
    assert decided(plan={"cost": Decimal(100)}).verdict is Verdict.EXECUTE


def test_within_the_cooldown_the_model_is_left_alone() -> None:
    recent = NOW - timedelta(hours=1)

    assert decided(last_action_at=recent).verdict is Verdict.MONITOR
    assert decided(last_action_at=recent, severity=Severity.CRITICAL).verdict is Verdict.ESCALATE
    assert decided(last_action_at=NOW - timedelta(hours=6)).verdict is Verdict.EXECUTE


def test_durations_are_written_for_people() -> None:
    recent = NOW - timedelta(minutes=4, seconds=18.8)

    reason = decided(last_action_at=recent, limits={"cooldown": timedelta(days=1)}).reason

    assert reason == "the last action was 4 min 18 s ago and the cooldown is 1 day"


def test_an_action_in_the_future_is_no_cooldown_but_a_contradiction() -> None:
    decision = decided(last_action_at=datetime(2999, 1, 1, tzinfo=UTC), severity=Severity.LOW)

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "cooldown")
    assert "2999-01-01" in decision.reason
    assert decided(last_action_at=NOW + timedelta(minutes=1)).verdict is Verdict.MONITOR


def test_a_negative_cost_is_not_executed() -> None:
    decision = decided(plan={"cost": Decimal("-0.01")})

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "cost_limit")
    assert "negative" in decision.reason


LOSS: dict[str, Any] = {"plan": {"action": Action.MONITOR}, "degraded": True, "confidence": 0.9}


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ({}, Verdict.MONITOR),
        ({"degraded": False, "rules_support": False, "confidence": 0.0}, Verdict.MONITOR),
        ({"confidence": 0.0}, Verdict.ESCALATE),
        ({"confidence": 0.8}, Verdict.ESCALATE),
        ({"confidence": 0.0, "rules_cause": Cause.HARMLESS}, Verdict.MONITOR),
        ({"rules_support": False}, Verdict.ESCALATE),
        ({"rules_support": False, "rules_cause": Cause.HARMLESS}, Verdict.ESCALATE),
        ({"rules_likelihood": 0.01}, Verdict.ESCALATE),
    ],
)
def test_a_loss_is_left_alone_only_with_confidence_and_the_rules_support(
    case: dict[str, Any], verdict: Verdict
) -> None:
    decision = decided(**{**LOSS, "severity": Severity.MEDIUM, **case})

    assert decision.verdict is verdict
    assert verdict is Verdict.MONITOR or decision.rule == "inaction_confidence"


def test_facts_that_do_not_say_what_the_rules_found_escalate() -> None:
    old = Facts(
        tier=Tier.STANDARD,
        severity=Severity.LOW,
        confidence=1.0,
        corrupt=False,
        champion_version="1",
        reviewer_agrees=True,
    )

    assert decide(a_question(facts=old)).verdict is Verdict.ESCALATE
    idle = a_plan(action=Action.MONITOR)
    assert decide(a_question(idle, old)).verdict is Verdict.ESCALATE


def test_a_blackout_sends_what_is_due_to_a_person() -> None:
    blackout = Blackout(name="noon", start="11:30", duration=timedelta(hours=1))

    assert decided(limits={"blackouts": (blackout,)}).rule == "blackout_window"


@pytest.mark.parametrize(
    ("severity", "confidence", "verdict"),
    [
        (Severity.LOW, 0.1, Verdict.MONITOR),
        (Severity.MEDIUM, 0.1, Verdict.MONITOR),
        (Severity.HIGH, 0.9, Verdict.MONITOR),
        (Severity.HIGH, 0.8, Verdict.ESCALATE),
        (Severity.CRITICAL, 0.99, Verdict.ESCALATE),
    ],
)
def test_doing_nothing_is_left_to_monitoring_only_where_that_is_safe(
    severity: Severity, confidence: float, verdict: Verdict
) -> None:
    decision = decided(plan={"action": Action.MONITOR}, severity=severity, confidence=confidence)

    assert decision.verdict is verdict


def test_every_rule_is_recorded_whatever_decided() -> None:
    names = [result.rule for result in decided().results]
    worst = decided(corrupt=True, confidence=0.0, tier=Tier.CRITICAL)

    assert [result.rule for result in worst.results] == names
    assert len(set(names)) == len(names)


def test_the_decision_is_bound_to_plan_and_policy() -> None:
    decision = decided(limits={"cost_at_most": 7})

    assert decision.plan_hash == compute_digest(a_plan())
    assert decision.policy_hash == compute_digest(Limits(cost_at_most=Decimal(7)))


facts = st.builds(
    Facts,
    tier=st.sampled_from(Tier),
    severity=st.sampled_from(Severity),
    confidence=st.floats(0, 1),
    corrupt=st.booleans(),
    champion_version=st.sampled_from(["1", None]),
    reviewer_agrees=st.booleans(),
    deliberation_failed=st.booleans(),
    last_action_at=st.none() | st.timedeltas(timedelta(0), timedelta(days=1)).map(NOW.__sub__),
    degraded=st.booleans(),
    rules_support=st.booleans(),
    rules_likelihood=st.floats(0, 1),
)
plans = st.builds(
    a_plan,
    action=st.sampled_from(Action),
    target_version=st.sampled_from([None, "1", "2"]),
    cost=st.decimals(0, 200, places=2),
)


def worse(facts: Facts) -> list[Facts]:
    """The same facts, each with one thing that should make anybody more careful."""
    changes: list[dict[str, Any]] = [
        {"confidence": facts.confidence / 2},
        {"corrupt": True},
        {"reviewer_agrees": False},
        {"deliberation_failed": True},
        {"champion_version": None},
        {"last_action_at": NOW},
        {"tier": Tier.CRITICAL},
        {"severity": Severity.CRITICAL},
        {"degraded": True},
        {"rules_support": False},
        {"rules_likelihood": facts.rules_likelihood / 2},
    ]
    return [facts.model_copy(update=change) for change in changes]


@given(plan=plans, facts=facts)
def test_worse_input_never_loosens(plan: RemediationPlan, facts: Facts) -> None:
    verdict = decide(a_question(plan, facts)).verdict

    assert all(
        decide(a_question(plan, other)).verdict.rank >= verdict.rank for other in worse(facts)
    )


@given(plan=plans, facts=facts)
def test_a_plan_to_do_nothing_never_executes(plan: RemediationPlan, facts: Facts) -> None:
    assume(not plan.action.changes_registry)

    assert decide(a_question(plan, facts)).verdict is not Verdict.EXECUTE


@given(plan=plans, facts=facts)
def test_only_a_plan_to_fix_the_source_notifies(plan: RemediationPlan, facts: Facts) -> None:
    notifies = decide(a_question(plan, facts)).verdict is Verdict.NOTIFY

    assert not notifies or plan.action is Action.FIX_SOURCE


@given(plan=plans, facts=facts)
def test_what_executes_was_allowed_by_every_rule(plan: RemediationPlan, facts: Facts) -> None:
    decision = decide(a_question(plan, facts))

    allowed = all(result.verdict is Verdict.EXECUTE for result in decision.results)
    assert (decision.verdict is Verdict.EXECUTE) == allowed
