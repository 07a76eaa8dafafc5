"""A second implementation of the policy, written from docs/policy.md and from nothing else.

It is a table: rule, plans that it is about, and conditions from the most to the least restrictive.
It shares no code with `policies.decision`, so that both must read the document alike.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trimtab.contracts.decision import PolicyQuestion

EXECUTE, MONITOR, NOTIFY, ESCALATE = "execute", "monitor", "notify", "escalate"
ORDER: Final = (EXECUTE, MONITOR, NOTIFY, ESCALATE)
SEVERITIES: Final = ("low", "medium", "high", "critical")
ACTING: Final = ("retrain", "roll_back")
IDLE: Final = ("monitor", "wait")
ALL: Final = (*IDLE, "fix_source", *ACTING)

Condition = Callable[[PolicyQuestion], bool]


def answer(question: PolicyQuestion) -> tuple[str, str]:
    """Return the verdict and the rule that decided, "all_rules" if every rule allows the plan."""
    verdicts = answer_every_rule(question)
    worst = max(verdicts.values(), key=ORDER.index)
    if worst == EXECUTE:
        return EXECUTE, "all_rules"
    return worst, next(rule for rule, verdict in verdicts.items() if verdict == worst)


def answer_every_rule(question: PolicyQuestion) -> dict[str, str]:
    """Return the verdict of each rule, in the order of the table."""
    return {rule: _apply(question, plans, cells) for rule, (plans, cells) in TABLE.items()}


def _apply(
    question: PolicyQuestion, plans: tuple[str, ...], cells: tuple[tuple[Condition, str], ...]
) -> str:
    if question.plan.action.value not in plans:
        return EXECUTE
    return next((verdict for condition, verdict in cells if condition(question)), EXECUTE)


def _is_unfit(q: PolicyQuestion) -> bool:
    target, champion = q.plan.target_version, q.facts.champion_version
    metrics = q.facts.measured_metrics
    fit = (
        target is not None
        and champion is not None
        and target.isdecimal()
        and champion.isdecimal()
        and int(target) < int(champion)
        and target in q.facts.former_champions
        and {target, champion} <= metrics.keys()
        and metrics[target] > metrics[champion]
        and metrics[target] - metrics[champion] > q.facts.promotion_margin
    )
    return not fit


def _is_blacked_out(q: PolicyQuestion) -> bool:
    """Return whether a blackout that started within the last days still lasts."""
    for blackout in q.limits.blackouts:
        zone = ZoneInfo(blackout.timezone)
        today = q.now.astimezone(zone).date()
        days_back = blackout.duration // timedelta(days=1) + 2
        for back in range(-1, days_back):
            day = today - timedelta(days=back)
            start = datetime.combine(day, blackout.start, tzinfo=zone)
            elapsed = q.now - start.astimezone(q.now.tzinfo)
            if day.weekday() in blackout.weekdays and timedelta(0) <= elapsed < blackout.duration:
                return True
    return False


def _ago(q: PolicyQuestion) -> timedelta:
    return q.now - (q.facts.last_action_at or datetime.min.replace(tzinfo=q.now.tzinfo))


def _severity(q: PolicyQuestion) -> int:
    return SEVERITIES.index(q.facts.severity.value)


def _is_grave(q: PolicyQuestion) -> bool:
    return _severity(q) > SEVERITIES.index(q.limits.monitor_at_most.value)


def _is_confident(q: PolicyQuestion) -> bool:
    return q.facts.confidence > q.limits.confidence_above


def _is_unsupported(q: PolicyQuestion) -> bool:
    likely = q.facts.rules_likelihood >= q.limits.rules_likelihood_at_least
    return not (q.facts.rules_support and likely)


def _is_recent(q: PolicyQuestion) -> bool:
    return q.facts.last_action_at is not None and _ago(q) < q.limits.cooldown


def _is_over_budget(q: PolicyQuestion) -> bool:
    ledger = q.facts.ledger
    each, everything = q.limits.budgets.each_model, q.limits.budgets.all_models
    if ledger is None:
        return any(
            limit is not None for budget in (each, everything) for limit in dict(budget).values()
        )
    return any(
        (actions is not None and spent.actions >= actions)
        or (cost is not None and spent.cost + max(q.plan.cost, Decimal(0)) > cost)
        for actions, cost, spent in (
            (each.actions_per_day, each.cost_per_day, ledger.model_day),
            (each.actions_per_month, each.cost_per_month, ledger.model_month),
            (everything.actions_per_day, everything.cost_per_day, ledger.all_day),
            (everything.actions_per_month, everything.cost_per_month, ledger.all_month),
        )
    )


def _is_broken(q: PolicyQuestion) -> bool:
    breaker, ledger = q.limits.breaker, q.facts.ledger
    if breaker.failures is None or ledger is None:
        return breaker.failures is not None
    recent = sum(q.now - failed < breaker.period for failed in ledger.failures)
    return recent >= breaker.failures


def _contradicts(rule: str) -> Condition:
    return lambda q: any(found.rule == rule for found in q.facts.contradictions)


TABLE: Final[dict[str, tuple[tuple[str, ...], tuple[tuple[Condition, str], ...]]]] = {
    "deliberation": (ALL, ((lambda q: q.facts.deliberation_failed, ESCALATE),)),
    "champion_identity": (
        ALL,
        (
            (
                lambda q: (
                    q.facts.champion_version is None
                    or q.plan.champion_version is None
                    or q.plan.champion_version != q.facts.champion_version
                ),
                ESCALATE,
            ),
        ),
    ),
    "rollback_target": (("roll_back",), ((_is_unfit, ESCALATE),)),
    "data_quality": (("retrain",), ((lambda q: q.facts.corrupt, ESCALATE),)),
    "allowed_actions": (
        ACTING,
        (
            (
                lambda q: q.plan.action not in dict(q.limits.allowed_actions).get(q.facts.tier, ()),
                ESCALATE,
            ),
        ),
    ),
    "confidence_threshold": (ACTING, ((lambda q: not _is_confident(q), ESCALATE),)),
    "review": (ALL, ((lambda q: not q.facts.reviewer_agrees, ESCALATE),)),
    "cost_limit": (
        ALL,
        (
            (lambda q: q.plan.cost < 0, ESCALATE),
            (lambda q: q.plan.cost > q.limits.cost_at_most, ESCALATE),
            (lambda q: q.plan.cost != 0 and q.plan.currency != q.limits.currency, ESCALATE),
        ),
    ),
    "blackout_window": (ACTING, ((_is_blacked_out, ESCALATE),)),
    "cooldown": (
        ACTING,
        (
            (lambda q: _ago(q) < timedelta(minutes=-5), ESCALATE),
            (lambda q: _is_recent(q) and _is_grave(q), ESCALATE),
            (_is_recent, MONITOR),
        ),
    ),
    "monitoring_severity": (
        IDLE,
        (
            (_is_grave, ESCALATE),
            (lambda q: _severity(q) <= SEVERITIES.index("medium") or _is_confident(q), MONITOR),
            (lambda _: True, ESCALATE),
        ),
    ),
    "budget": (ACTING, ((_is_over_budget, ESCALATE),)),
    "breaker": (ACTING, ((_is_broken, ESCALATE),)),
    "freeze": (ACTING, ((lambda q: q.facts.freeze is not None, ESCALATE),)),
    "shadow": (
        ACTING,
        ((lambda q: q.limits.shadow or q.plan.model in q.limits.shadow_models, MONITOR),),
    ),
    "rules_agree": (ACTING, ((_is_unsupported, ESCALATE),)),
    "inaction_confidence": (
        IDLE,
        (
            (lambda q: not q.facts.degraded, EXECUTE),
            (_is_unsupported, ESCALATE),
            (
                lambda q: _is_confident(q) or str(q.facts.rules_cause) == "harmless",
                MONITOR,
            ),
            (lambda _: True, ESCALATE),
        ),
    ),
    "event_signature": (ACTING, ((lambda q: not q.facts.event_signed, ESCALATE),)),
    "event_figures": (ALL, ((_contradicts("event_figures"), ESCALATE),)),
    "event_window": (ALL, ((_contradicts("event_window"), ESCALATE),)),
    "event_champion": (ALL, ((_contradicts("event_champion"), ESCALATE),)),
    "event_metric": (ALL, ((_contradicts("event_metric"), ESCALATE),)),
    "source_notice": (
        ("fix_source",),
        ((_is_unsupported, ESCALATE), (lambda _: True, NOTIFY)),
    ),
}
