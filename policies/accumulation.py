"""Judges a plan by limits that add up over many incidents: budgets, the breaker and a freeze."""

from collections.abc import Iterator
from decimal import Decimal

from trimtab.contracts.budget import Budget, Spending
from trimtab.contracts.decision import PolicyQuestion
from trimtab.contracts.duration_text import format_rounded_duration


def explain_budget(question: PolicyQuestion) -> str | None:
    """Return which budget the plan would exceed, as a clause, or None."""
    limits, ledger = question.limits, question.facts.ledger
    budgets = limits.budgets
    if ledger is None:
        is_limited = any(
            value is not None
            for budget in (budgets.each_model, budgets.all_models)
            for value in budget.model_dump().values()
        )
        return (
            "what was done so far is not known, and the policy has budgets" if is_limited else None
        )
    scopes = (
        (question.plan.model, budgets.each_model, ledger.model_day, ledger.model_month),
        ("all models", budgets.all_models, ledger.all_day, ledger.all_month),
    )
    for name, budget, day, month in scopes:
        for excess in _list_excesses(question, budget, day, month):
            return f"the budget of {name} allows {excess}"
    return None


def explain_breaker(question: PolicyQuestion) -> str | None:
    """Return why the model's breaker is open, as a clause, or None."""
    breaker, ledger = question.limits.breaker, question.facts.ledger
    if breaker.failures is None:
        return None
    if ledger is None:
        return "how many remediations failed is not known, and the policy has a breaker"
    recent = [at for at in ledger.failures if question.now - at < breaker.period]
    if len(recent) < breaker.failures:
        return None
    return (
        f"{len(recent)} remediations of {question.plan.model} failed or were undone within "
        f"{format_rounded_duration(breaker.period)}, and the limit is {breaker.failures}"
    )


def _list_excesses(
    question: PolicyQuestion, budget: Budget, day: Spending, month: Spending
) -> Iterator[str]:
    cost, currency = max(question.plan.cost, Decimal(0)), question.limits.currency
    for period, spent, actions, most in (
        ("today", day, budget.actions_per_day, budget.cost_per_day),
        ("this month", month, budget.actions_per_month, budget.cost_per_month),
    ):
        if actions is not None and spent.actions + 1 > actions:
            yield f"{actions} actions {period}, and {spent.actions} were taken"
        if most is not None and spent.cost + cost > most:
            yield (
                f"a cost of {most} {currency} {period}, but {spent.cost} was spent and the plan "
                f"costs {cost}"
            )
