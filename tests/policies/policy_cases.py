"""Random questions to the policy, from plain random numbers: quick enough for very many."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from policies.claims import CLAIM_RULES
from tests.builders import NOW, a_plan, the_facts
from trimtab.contracts.base import Record
from trimtab.contracts.budget import Breaker, Budget, Budgets, LedgerFacts, Spending
from trimtab.contracts.decision import Blackout, Contradiction, Facts, Limits, PolicyQuestion
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import Severity
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.model import Tier
from trimtab.contracts.remediation import Action

VERSIONS = (None, "1", "2", "3", "10", "main")
_Record = TypeVar("_Record", bound=Record)
_SOUND_SHARE = 0.5
"""Share of the questions in which most is as it should be, so that few rules decide."""
_SOUND_FACTS = the_facts(
    champion_version="2",
    measured_metrics={"1": 0.9, "2": 0.7},
    former_champions=("1",),
    degraded=True,
)
HOURS = (-9000000, -1, -0.05, 0, 0.01, 1, 5.999, 6, 7, 9000)


def draw_question(draw: random.Random) -> PolicyQuestion:
    """Return a question; values at and beside each limit are as likely as ordinary ones."""
    limits = _draw_limits(draw)
    plan, facts = _draw_plan(draw, limits), _draw_facts(draw, limits)
    if draw.random() < _SOUND_SHARE:
        limits = _keep_some(draw, Limits(), limits)
        plan = _keep_some(draw, a_plan(champion_version="2", target_version="1"), plan)
        facts = _keep_some(draw, _SOUND_FACTS, facts)
    return PolicyQuestion(plan=plan, facts=facts, limits=limits, now=NOW)


def draw_worse_facts(draw: random.Random, question: PolicyQuestion) -> PolicyQuestion:
    """Return the question with one fact that should make anybody more careful."""
    facts, allowed = question.facts, question.limits.allowed_actions
    critical, own = allowed.get(Tier.CRITICAL, ()), allowed.get(facts.tier, ())
    changes: list[dict[str, Any]] = [
        {"confidence": facts.confidence * draw.random()},
        {"corrupt": True},
        {"reviewer_agrees": False},
        {"deliberation_failed": True},
        {"champion_version": None},
        {"last_action_at": max(NOW, facts.last_action_at or NOW)},
        {"last_action_at": NOW + timedelta(days=400)},
        {"tier": Tier.CRITICAL if set(critical) <= set(own) else facts.tier},
        {"severity": Severity.CRITICAL},
        {"degraded": True},
        {"rules_support": False},
        {"rules_likelihood": facts.rules_likelihood * draw.random()},
        {"rules_cause": Cause.UNKNOWN},
        {"measured_metrics": {}},
        {"former_champions": ()},
        {"ledger": None},
        {"freeze": Freeze()},
        {"event_signed": False},
        {"contradictions": (Contradiction(rule=draw.choice(CLAIM_RULES), statement="no"),)},
        {"promotion_margin": facts.promotion_margin + draw.random()},
    ]
    return question.model_copy(update={"facts": facts.model_copy(update=draw.choice(changes))})


def _keep_some(draw: random.Random, sound: _Record, drawn: _Record) -> _Record:
    """Return a sound record with a few fields of a drawn one."""
    names = draw.sample(sorted(type(sound).model_fields), 3)
    return sound.model_copy(update={name: getattr(drawn, name) for name in names})


def _draw_limits(draw: random.Random) -> Limits:
    fields: dict[str, Any] = {
        "confidence_above": draw.choice((0.0, 0.8, 0.8, 0.8, 1.0)),
        "cost_at_most": Decimal(draw.choice((0, 5, 100))),
        "currency": draw.choice(("EUR", "EUR", "USD")),
        "cooldown": timedelta(hours=draw.choice((0, 6, 6, 48))),
        "monitor_at_most": draw.choice(list(Severity)),
        "rules_likelihood_at_least": draw.choice((0.0, 0.1, 0.1, 0.5, 1.0)),
    }
    if draw.random() < 0.3:
        fields["allowed_actions"] = {
            tier: tuple(each for each in Action if draw.random() < 0.5)
            for tier in Tier
            if draw.random() < 0.8
        }
    if draw.random() < 0.7:
        fields["blackouts"] = (_draw_blackout(draw),)
    if draw.random() < 0.5:
        fields["budgets"] = Budgets(each_model=_draw_budget(draw), all_models=_draw_budget(draw))
    if draw.random() < 0.5:
        fields["breaker"] = Breaker(failures=draw.choice((None, 1, 2)), period=timedelta(hours=6))
    fields["shadow"] = draw.random() < 0.1
    fields["shadow_models"] = ("parking",) if draw.random() < 0.1 else ()
    return Limits(**fields)


def _draw_budget(draw: random.Random) -> Budget:
    return Budget(
        actions_per_day=draw.choice((None, None, 0, 1, 2)),
        actions_per_month=draw.choice((None, None, 1, 5)),
        cost_per_day=draw.choice((None, None, Decimal(5), Decimal(10))),
        cost_per_month=draw.choice((None, None, Decimal(5), Decimal(100))),
    )


def _draw_ledger(draw: random.Random) -> LedgerFacts | None:
    if draw.random() < 0.1:
        return None
    spent = [
        Spending(actions=draw.choice((0, 0, 1, 4, 5)), cost=Decimal(draw.choice((0, 0, 5, 95))))
        for _ in range(4)
    ]
    return LedgerFacts(
        model_day=spent[0],
        model_month=spent[1],
        all_day=spent[2],
        all_month=spent[3],
        failures=tuple(
            NOW - timedelta(hours=draw.choice((1, 5, 6, 7))) for _ in range(draw.choice((0, 0, 2)))
        ),
    )


def _draw_blackout(draw: random.Random) -> Blackout:
    return Blackout(
        name="drawn",
        weekdays=tuple(day for day in range(7) if draw.random() < 0.5),
        start=f"{draw.randrange(24):02}:{draw.choice((0, 30)):02}",
        duration=timedelta(hours=draw.choice((0, 1, 8, 24, 100))),
        timezone=draw.choice(("UTC", "Europe/London", "America/New_York", "Asia/Kolkata")),
    )


def _draw_plan(draw: random.Random, limits: Limits) -> Any:
    near = limits.cost_at_most
    cost = draw.choice((Decimal(0), Decimal(5), near, near + Decimal("0.01"), Decimal(-1)))
    plan = a_plan(
        action=draw.choice(list(Action)),
        cause=draw.choice(list(Cause)),
        currency=draw.choice(("EUR", "EUR", "USD")),
        champion_version=draw.choice(("2", "2", "2", "10", *VERSIONS)),
        target_version=draw.choice(("1", "1", *VERSIONS)),
    )
    return plan.model_copy(update={"cost": cost})


def _draw_facts(draw: random.Random, limits: Limits) -> Facts:
    hours = draw.choice((None, None, *HOURS))
    least = limits.rules_likelihood_at_least
    margin = draw.choice((0.0, 0.005, 0.005, 0.1))
    return Facts(
        tier=draw.choice(list(Tier)),
        severity=draw.choice(list(Severity)),
        confidence=draw.choice((0.0, 0.8, 0.8000001, 0.95, 0.95, 1.0, draw.random())),
        corrupt=draw.random() < 0.2,
        champion_version=draw.choice(("2", "2", "2", "10", *VERSIONS)),
        reviewer_agrees=draw.random() < 0.9,
        deliberation_failed=draw.random() < 0.1,
        last_action_at=None if hours is None else NOW - timedelta(hours=hours),
        degraded=draw.random() < 0.6,
        rules_support=draw.random() < 0.8,
        rules_cause=draw.choice((None, *Cause)),
        rules_likelihood=draw.choice((0.0, least, least, 0.9, 0.9, draw.random())),
        measured_metrics={
            version: 0.8 + draw.choice((-0.2, 0.0, margin, margin + 0.01, 0.2))
            for version in ("1", "2", "3", "10")
            if draw.random() < 0.8
        },
        former_champions=tuple(each for each in ("1", "2", "3") if draw.random() < 0.7),
        promotion_margin=margin,
        ledger=_draw_ledger(draw),
        freeze=Freeze() if draw.random() < 0.1 else None,
        event_signed=draw.random() < 0.9,
        contradictions=tuple(
            Contradiction(rule=rule, statement="the event says one thing, and another is known")
            for rule in CLAIM_RULES
            if draw.random() < 0.05
        ),
    )
