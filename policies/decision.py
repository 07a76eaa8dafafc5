"""Decides whether a plan may be executed, goes to a person, or is left to monitoring.

Every rule is asked and recorded; the most restrictive answer wins. Worse input never loosens.
"""

from collections.abc import Callable
from datetime import datetime

from policies.blackout import active_blackout
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Decision, Facts, Limits, RuleResult, Verdict
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.drift import Severity
from trimtab.contracts.remediation import Action

Rule = Callable[[RemediationPlan, Facts, Limits, datetime], tuple[Verdict, str]]

_FINE = Verdict.EXECUTE


def decide(plan: RemediationPlan, facts: Facts, limits: Limits, *, now: datetime) -> Decision:
    """The verdict on a plan, with every rule's answer; total and pure.

    A plan to act is at best executed, a plan to do nothing at best monitored.
    """
    results = tuple(_ask(name, rule, plan, facts, limits, now) for name, rule in _rules().items())
    deciding = max(results, key=lambda result: result.verdict.rank)
    return Decision(
        verdict=deciding.verdict,
        rule=deciding.rule if deciding.verdict is not _FINE else "all_rules",
        reason=deciding.reason if deciding.verdict is not _FINE else "every rule allows the plan",
        results=results,
        plan_hash=compute_digest(plan),
        policy_hash=compute_digest(limits),
        decided_at=now,
    )


def _ask(
    name: str, rule: Rule, plan: RemediationPlan, facts: Facts, limits: Limits, now: datetime
) -> RuleResult:
    verdict, reason = rule(plan, facts, limits, now)
    return RuleResult(rule=name, verdict=verdict, reason=reason)


def _rules() -> dict[str, Rule]:
    return {
        "deliberation": _deliberation_succeeded,
        "champion_identity": _champion_is_known,
        "rollback_target": _plan_is_complete,
        "data_quality": _data_is_sound,
        "allowed_actions": _action_is_allowed_for_tier,
        "confidence_threshold": _confidence_is_high,
        "review": _reviewer_agrees,
        "cost_limit": _cost_is_within_limit,
        "blackout_window": _no_blackout,
        "cooldown": _cooldown_is_over,
        "monitoring_severity": _doing_nothing_is_safe,
    }


def _deliberation_succeeded(
    _plan: RemediationPlan, facts: Facts, _limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if facts.deliberation_failed:
        return Verdict.ESCALATE, "the configured analyst failed; the plan is the fallback's"
    return _FINE, "the configured analyst answered"


def _champion_is_known(
    plan: RemediationPlan, facts: Facts, _limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if plan.champion_version is None or facts.champion_version is None:
        return Verdict.ESCALATE, f"model {plan.model} has no version with the alias champion"
    if plan.champion_version != facts.champion_version:
        return Verdict.ESCALATE, (
            f"the plan is about version {plan.champion_version}, "
            f"the champion is {facts.champion_version}"
        )
    return _FINE, f"the champion is version {facts.champion_version}"


def _plan_is_complete(
    plan: RemediationPlan, facts: Facts, _limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if plan.action is not Action.ROLL_BACK:
        return _FINE, f"{plan.action} needs no target version"
    if plan.target_version is None or plan.target_version == facts.champion_version:
        return Verdict.ESCALATE, f"a rollback to version {plan.target_version} leads nowhere"
    return _FINE, f"roll back to version {plan.target_version}"


def _data_is_sound(
    plan: RemediationPlan, facts: Facts, _limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if facts.corrupt and plan.action is Action.RETRAIN:
        return Verdict.ESCALATE, "the window is corrupt: nothing may be learnt from it"
    return _FINE, "nothing is learnt from corrupt data"


def _action_is_allowed_for_tier(
    plan: RemediationPlan, facts: Facts, limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    allowed = limits.allowed_actions.get(facts.tier, ())
    if plan.action is Action.MONITOR or plan.action in allowed:
        return _FINE, f"{plan.action} is allowed for the tier {facts.tier}"
    return Verdict.ESCALATE, f"{plan.action} on a model of the tier {facts.tier} needs a person"


def _confidence_is_high(
    plan: RemediationPlan, facts: Facts, limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if plan.action is Action.MONITOR:
        return _FINE, "nothing would be executed"
    if facts.confidence > limits.confidence_above:
        return _FINE, f"confidence {facts.confidence:.3f} > {limits.confidence_above:.2f}"
    return Verdict.ESCALATE, (
        f"confidence {facts.confidence:.3f} is not above {limits.confidence_above:.2f}"
    )


def _reviewer_agrees(
    _plan: RemediationPlan, facts: Facts, _limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if facts.reviewer_agrees:
        return _FINE, "the review agrees with cause and plan"
    return Verdict.ESCALATE, "the review does not agree with cause and plan"


def _cost_is_within_limit(
    plan: RemediationPlan, _facts: Facts, limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    price = f"{plan.cost} {plan.currency}"
    if plan.cost and plan.currency != limits.currency:
        return Verdict.ESCALATE, f"the cost {price} is not in the policy's {limits.currency}"
    if plan.cost > limits.cost_at_most:
        return Verdict.ESCALATE, f"the cost {price} is above {limits.cost_at_most}"
    return _FINE, f"the cost {price} is within {limits.cost_at_most}"


def _no_blackout(
    plan: RemediationPlan, _facts: Facts, limits: Limits, now: datetime
) -> tuple[Verdict, str]:
    blackout = active_blackout(limits.blackouts, now)
    if blackout is None or plan.action is Action.MONITOR:
        return _FINE, "no blackout stands in the way"
    return Verdict.ESCALATE, f"the blackout {blackout.name!r} is on at {now.isoformat()}"


def _cooldown_is_over(
    plan: RemediationPlan, facts: Facts, limits: Limits, now: datetime
) -> tuple[Verdict, str]:
    if plan.action is Action.MONITOR or facts.last_action_at is None:
        return _FINE, "no action is recent"
    since = now - facts.last_action_at
    if since >= limits.cooldown:
        return _FINE, f"the last action was {since} ago"
    reason = f"the last action was {since} ago, cooldown is {limits.cooldown}"
    calm = facts.severity.rank <= limits.monitor_at_most.rank
    return (Verdict.MONITOR if calm else Verdict.ESCALATE), reason


def _doing_nothing_is_safe(
    plan: RemediationPlan, facts: Facts, limits: Limits, _now: datetime
) -> tuple[Verdict, str]:
    if plan.action is not Action.MONITOR:
        return _FINE, "the plan is to act"
    if facts.severity.rank > limits.monitor_at_most.rank:
        return Verdict.ESCALATE, f"severity {facts.severity} is too grave to do nothing"
    sure = facts.confidence > limits.confidence_above
    if facts.severity.rank <= Severity.MEDIUM.rank or sure:
        return Verdict.MONITOR, f"severity {facts.severity} may be left to monitoring"
    return Verdict.ESCALATE, (
        f"severity {facts.severity} at confidence {facts.confidence:.3f} "
        f"(not above {limits.confidence_above:.2f}) needs a person to leave it alone"
    )
