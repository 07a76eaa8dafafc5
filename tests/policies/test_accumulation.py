"""Limits that add up: budgets, the breaker, a freeze and shadow mode."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decision import decide
from tests.builders import NOW, a_plan, a_question, the_facts
from trimtab.contracts.budget import Breaker, Budget, Budgets, LedgerFacts, Spending
from trimtab.contracts.decision import Decision, Limits, Verdict
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.remediation import Action

QUIET = LedgerFacts()


def decided(
    *, ledger: LedgerFacts | None = QUIET, plan: dict[str, Any] | None = None, **limits: Any
) -> Decision:
    return decide(a_question(a_plan(**(plan or {})), the_facts(ledger=ledger), Limits(**limits)))


def spent(actions: int = 0, cost: int = 0) -> Spending:
    return Spending(actions=actions, cost=Decimal(cost))


@pytest.mark.parametrize(
    ("budget", "ledger"),
    [
        (Budgets(each_model=Budget(actions_per_day=2)), LedgerFacts(model_day=spent(2))),
        (Budgets(each_model=Budget(actions_per_month=9)), LedgerFacts(model_month=spent(9))),
        (Budgets(each_model=Budget(cost_per_day=Decimal(20))), LedgerFacts(model_day=spent(1, 16))),
        (Budgets(all_models=Budget(actions_per_day=5)), LedgerFacts(all_day=spent(5))),
        (Budgets(all_models=Budget(cost_per_month=Decimal(9))), LedgerFacts(all_month=spent(1, 5))),
        (Budgets(all_models=Budget(actions_per_month=0)), QUIET),
    ],
)
def test_a_plan_above_a_budget_asks_a_person(budget: Budgets, ledger: LedgerFacts) -> None:
    decision = decided(ledger=ledger, budgets=budget)

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "budget")


def test_a_plan_that_just_fits_the_budgets_executes() -> None:
    budget = Budget(actions_per_day=3, actions_per_month=3, cost_per_day=Decimal(15))
    ledger = LedgerFacts(model_day=spent(2, 10), all_day=spent(2, 10), model_month=spent(2, 10))

    decision = decided(ledger=ledger, budgets=Budgets(each_model=budget, all_models=budget))

    assert decision.verdict is Verdict.EXECUTE


def test_a_budget_without_a_ledger_asks_a_person() -> None:
    budgets = Budgets(all_models=Budget(cost_per_day=Decimal(1000)))

    assert decided(ledger=None, budgets=budgets).rule == "budget"
    assert decided(ledger=None, breaker=Breaker(failures=3)).rule == "breaker"
    assert decided(ledger=None).verdict is Verdict.EXECUTE


def test_a_negative_cost_buys_nothing() -> None:
    assert decided(plan={"cost": Decimal(-1000)}).rule == "cost_limit"


def test_the_breaker_opens_after_the_named_number_of_failures_and_closes_with_time() -> None:
    failures = tuple(NOW - timedelta(days=day) for day in (6, 3, 1))
    breaker = Breaker(failures=3, period=timedelta(days=7))
    earlier = LedgerFacts(failures=tuple(at - timedelta(days=2) for at in failures))

    opened = decided(ledger=LedgerFacts(failures=failures), breaker=breaker)

    assert (opened.verdict, opened.rule) == (Verdict.ESCALATE, "breaker")
    assert decided(ledger=earlier, breaker=breaker).verdict is Verdict.EXECUTE


def test_nothing_executes_while_a_freeze_is_in_force() -> None:
    freeze = Freeze(reason="an outage of the warehouse", by="ana", at=NOW)

    decision = decide(a_question(facts=the_facts(freeze=freeze)))

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "freeze")
    assert decision.reason == (
        "every model is frozen since 2026-11-20 12:00 UTC by ana: an outage of the warehouse"
    )


@pytest.mark.parametrize("limits", [{"shadow": True}, {"shadow_models": ("parking",)}])
def test_shadow_mode_records_what_would_have_been_executed(limits: dict[str, Any]) -> None:
    decision = decided(**limits)

    assert (decision.verdict, decision.rule) == (Verdict.MONITOR, "shadow")
    assert decision.reason == "shadow: would have executed retrain"


def test_shadow_mode_of_another_model_changes_nothing() -> None:
    assert decided(shadow_models=("other",)).verdict is Verdict.EXECUTE


def test_shadow_mode_hides_no_escalation() -> None:
    decision = decide(a_question(facts=the_facts(confidence=0.1), limits=Limits(shadow=True)))

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "confidence_threshold")


def test_an_action_in_the_future_is_no_cooldown_but_a_fault() -> None:
    future = the_facts(last_action_at=NOW.replace(year=2999))

    decision = decide(a_question(facts=future))

    assert (decision.verdict, decision.rule) == (Verdict.ESCALATE, "cooldown")


spendings = st.builds(Spending, actions=st.integers(0, 20), cost=st.decimals(0, 200, places=2))
amounts = st.none() | st.integers(0, 20)
costs = st.none() | st.decimals(0, 200, places=2)
budget_records = st.builds(
    Budget,
    actions_per_day=amounts,
    actions_per_month=amounts,
    cost_per_day=costs,
    cost_per_month=costs,
)
limits_records = st.builds(
    Limits,
    budgets=st.builds(Budgets, each_model=budget_records, all_models=budget_records),
    breaker=st.builds(
        Breaker,
        failures=st.none() | st.integers(1, 4),
        period=st.timedeltas(timedelta(0), timedelta(days=30)),
    ),
    shadow=st.booleans(),
)
ledgers = st.builds(
    LedgerFacts,
    model_day=spendings,
    model_month=spendings,
    all_day=spendings,
    all_month=spendings,
    failures=st.lists(
        st.timedeltas(timedelta(0), timedelta(days=30)).map(NOW.__sub__), max_size=4
    ).map(tuple),
)


def more(spending: Spending) -> Spending:
    return Spending(actions=spending.actions + 1, cost=spending.cost + 3)


@given(
    limits=limits_records,
    ledger=ledgers,
    cost=st.decimals(-5, 120, places=2),
    action=st.sampled_from(Action),
)
def test_more_spending_failures_or_a_freeze_never_loosen(
    limits: Limits, ledger: LedgerFacts, cost: Decimal, action: Action
) -> None:
    plan = a_plan(action=action, cost=cost, target_version="3")
    facts = the_facts(ledger=ledger)
    before = decide(a_question(plan, facts, limits)).verdict
    fields = ("model_day", "model_month", "all_day", "all_month")
    worse = [
        *(ledger.model_copy(update={name: more(getattr(ledger, name))}) for name in fields),
        ledger.model_copy(update={"failures": (*ledger.failures, NOW)}),
        None,
    ]

    for other in worse:
        after = decide(a_question(plan, the_facts(ledger=other), limits)).verdict
        assert after.rank >= before.rank
    frozen = the_facts(ledger=ledger, freeze=Freeze())
    assert decide(a_question(plan, frozen, limits)).verdict.rank >= before.rank


@given(ledger=ledgers, limits=limits_records)
def test_shadow_mode_executes_nothing(ledger: LedgerFacts, limits: Limits) -> None:
    shadow = limits.model_copy(update={"shadow": True})

    assert decide(a_question(None, the_facts(ledger=ledger), shadow)).verdict is not Verdict.EXECUTE
