"""Decides whether a plan is executed, goes to a person, or is left to monitoring.

Every rule is evaluated and recorded, and the most restrictive answer wins. The rules are pure,
total and monotone: worse input never leads to a less restrictive verdict.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from policies.accumulation import explain_breaker, explain_budget
from policies.blackout import explain_blackout
from policies.claims import CLAIM_RULES
from policies.rollback import explain_unfit_target
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Decision, PolicyQuestion, RuleResult, Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import Severity
from trimtab.contracts.duration_text import format_rounded_duration
from trimtab.contracts.remediation import Action

Rule = Callable[[PolicyQuestion], tuple[Verdict, str]]
"""Returns the most permissive verdict that the rule allows, and the reason as a clause."""

SHADOW_RULE: Final = "shadow"
"""Name of the rule that keeps decisions from being carried out."""
_ALLOWED = Verdict.EXECUTE
_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Time by which the clocks of two machines may differ."""
_MAX_REASON_LENGTH = 3000
_IDLE: Final = frozenset({Action.MONITOR, Action.WAIT})
"""Actions that leave everything as it is, and tell nobody."""


def decide(question: PolicyQuestion) -> Decision:
    """Return the verdict on a plan, with every rule's answer.

    A plan to act is at best executed; a plan to do nothing is at best monitored; of a plan to mend
    the source its owner is at best told.
    """
    results = tuple(_evaluate(name, rule, question) for name, rule in _rules().items())
    deciding = max(results, key=lambda result: result.verdict.rank)
    allowed = deciding.verdict is _ALLOWED
    return Decision(
        verdict=deciding.verdict,
        rule="all_rules" if allowed else deciding.rule,
        reason="every rule allows the plan" if allowed else _explain(deciding, question),
        results=results,
        plan_hash=compute_digest(question.plan),
        policy_hash=compute_digest(question.limits),
        decided_at=question.now,
    )


def _explain(deciding: RuleResult, question: PolicyQuestion) -> str:
    """Return why the plan is not executed; shadow mode decides only if every other rule allows."""
    if deciding.rule == SHADOW_RULE:
        return f"shadow: would have executed {question.plan.action}"
    return deciding.reason


def _evaluate(name: str, rule: Rule, question: PolicyQuestion) -> RuleResult:
    verdict, reason = rule(question)
    return RuleResult(rule=name, verdict=verdict, reason=reason)


def _rules() -> dict[str, Rule]:
    """Return the rules by name, in the order in which they are recorded.

    Names and order are public: audit logs hold them, and of several rules that are equally
    restrictive the first one is named as the one that decided.
    """
    return {
        "deliberation": _check_deliberation,
        "champion_identity": _check_champion,
        "rollback_target": _check_rollback_target,
        "data_quality": _check_data_quality,
        "allowed_actions": _check_tier,
        "confidence_threshold": _check_confidence,
        "review": _check_review,
        "cost_limit": _check_cost,
        "blackout_window": _check_blackout,
        "cooldown": _check_cooldown,
        "monitoring_severity": _check_inaction,
        "budget": _check_budget,
        "breaker": _check_breaker,
        "freeze": _check_freeze,
        SHADOW_RULE: _check_shadow,
        "rules_agree": _check_second_opinion,
        "inaction_confidence": _check_inaction_confidence,
        "event_signature": _check_signature,
        **{name: _build_claim_rule(name) for name in CLAIM_RULES},
        "source_notice": _check_source_notice,
    }


def _check_deliberation(question: PolicyQuestion) -> tuple[Verdict, str]:
    if question.facts.deliberation_failed:
        return Verdict.ESCALATE, "the configured analyst failed and the fallback made the plan"
    return _ALLOWED, "the configured analyst answered"


def _check_champion(question: PolicyQuestion) -> tuple[Verdict, str]:
    planned, current = question.plan.champion_version, question.facts.champion_version
    if planned is None or current is None:
        return Verdict.ESCALATE, f"model {question.plan.model} has no version with alias champion"
    if planned != current:
        return Verdict.ESCALATE, (
            f"the plan was made for champion version {planned}, but the champion is {current}"
        )
    return _ALLOWED, f"the champion is version {current}"


def _check_rollback_target(question: PolicyQuestion) -> tuple[Verdict, str]:
    plan = question.plan
    if plan.action is not Action.ROLL_BACK:
        return _ALLOWED, f"{plan.action} needs no target version"
    facts = question.facts
    fault = explain_unfit_target(
        plan.target_version,
        champion=facts.champion_version,
        metrics=facts.measured_metrics,
        former_champions=facts.former_champions,
        margin=facts.promotion_margin,
    )
    if fault:
        return Verdict.ESCALATE, fault
    return _ALLOWED, f"version {plan.target_version} was champion before and is better now"


def _check_data_quality(question: PolicyQuestion) -> tuple[Verdict, str]:
    if question.facts.corrupt and question.plan.action is Action.RETRAIN:
        return Verdict.ESCALATE, "the window's data is corrupt and must not be trained on"
    return _ALLOWED, "the plan does not train on corrupt data"


def _check_tier(question: PolicyQuestion) -> tuple[Verdict, str]:
    action, tier = question.plan.action, question.facts.tier
    allowed = question.limits.allowed_actions.get(tier, ())
    if not action.changes_registry or action in allowed:
        return _ALLOWED, f"{action} is allowed for tier {tier}"
    return Verdict.ESCALATE, f"{action} on a model of tier {tier} needs a person"


def _check_confidence(question: PolicyQuestion) -> tuple[Verdict, str]:
    confidence, limit = question.facts.confidence, question.limits.confidence_above
    if not question.plan.action.changes_registry:
        return _ALLOWED, "the plan executes nothing"
    if confidence > limit:
        return _ALLOWED, f"confidence {confidence:.3f} > {limit:.2f}"
    return Verdict.ESCALATE, f"confidence {confidence:.3f} is not above {limit:.2f}"


def _check_review(question: PolicyQuestion) -> tuple[Verdict, str]:
    if question.facts.reviewer_agrees:
        return _ALLOWED, "the review agrees with cause and plan"
    return Verdict.ESCALATE, "the review does not agree with cause and plan"


def _check_cost(question: PolicyQuestion) -> tuple[Verdict, str]:
    plan, limits = question.plan, question.limits
    cost = f"{plan.cost} {plan.currency}"
    if plan.cost < 0:
        return Verdict.ESCALATE, f"the cost {cost} is negative"
    if plan.cost and plan.currency != limits.currency:
        return (
            Verdict.ESCALATE,
            f"the cost {cost} is not in the policy's currency {limits.currency}",
        )
    if plan.cost > limits.cost_at_most:
        return Verdict.ESCALATE, f"the cost {cost} is above {limits.cost_at_most}"
    return _ALLOWED, f"the cost {cost} is within {limits.cost_at_most}"


def _check_blackout(question: PolicyQuestion) -> tuple[Verdict, str]:
    blackout = explain_blackout(question.limits, question.now)
    if blackout is None or not question.plan.action.changes_registry:
        return _ALLOWED, "no blackout prevents the plan"
    return Verdict.ESCALATE, f"{blackout} at {question.now.isoformat()}"


def _check_cooldown(question: PolicyQuestion) -> tuple[Verdict, str]:
    facts, limits = question.facts, question.limits
    if not question.plan.action.changes_registry or facts.last_action_at is None:
        return _ALLOWED, "no recent action prevents the plan"
    elapsed = question.now - facts.last_action_at
    if elapsed < -_CLOCK_DIFFERENCE:
        return Verdict.ESCALATE, (
            f"the last action is recorded at {facts.last_action_at.isoformat()}, which is after "
            f"the time of this decision, {question.now.isoformat()}"
        )
    ago = f"the last action was {format_rounded_duration(elapsed)} ago"
    if elapsed >= limits.cooldown:
        return _ALLOWED, ago
    tolerable = facts.severity.rank <= limits.monitor_at_most.rank
    return (
        Verdict.MONITOR if tolerable else Verdict.ESCALATE,
        f"{ago} and the cooldown is {format_rounded_duration(limits.cooldown)}",
    )


def _check_inaction(question: PolicyQuestion) -> tuple[Verdict, str]:
    """Check that doing nothing is safe: severe or uncertain drift must not be left alone."""
    facts, limits = question.facts, question.limits
    if question.plan.action not in _IDLE:
        return _ALLOWED, "the plan is not to do nothing"
    if facts.severity.rank > limits.monitor_at_most.rank:
        return Verdict.ESCALATE, f"severity {facts.severity} is too high to do nothing"
    confident = facts.confidence > limits.confidence_above
    if facts.severity.rank <= Severity.MEDIUM.rank or confident:
        return Verdict.MONITOR, f"severity {facts.severity} may be left to monitoring"
    return Verdict.ESCALATE, (
        f"doing nothing at severity {facts.severity} needs a person: "
        f"confidence {facts.confidence:.3f} is not above {limits.confidence_above:.2f}"
    )


def _check_budget(question: PolicyQuestion) -> tuple[Verdict, str]:
    if not question.plan.action.changes_registry:
        return _ALLOWED, "the plan costs nothing"
    excess = explain_budget(question)
    return (
        (_ALLOWED, "the plan is within every budget")
        if excess is None
        else (
            Verdict.ESCALATE,
            excess,
        )
    )


def _check_breaker(question: PolicyQuestion) -> tuple[Verdict, str]:
    if not question.plan.action.changes_registry:
        return _ALLOWED, "the plan executes nothing"
    cause = explain_breaker(question)
    return (_ALLOWED, "the breaker is closed") if cause is None else (Verdict.ESCALATE, cause)


def _check_freeze(question: PolicyQuestion) -> tuple[Verdict, str]:
    freeze = question.facts.freeze
    if freeze is None or not question.plan.action.changes_registry:
        return _ALLOWED, "no freeze prevents the plan"
    return Verdict.ESCALATE, f"{freeze}"


def _check_shadow(question: PolicyQuestion) -> tuple[Verdict, str]:
    """Check that the model is not in shadow mode, in which decisions are recorded only."""
    plan = question.plan
    if not plan.action.changes_registry or not question.limits.is_shadow(plan.model):
        return _ALLOWED, "shadow mode does not prevent the plan"
    return Verdict.MONITOR, f"shadow: {plan.action} is recorded and not executed"


def _check_second_opinion(question: PolicyQuestion) -> tuple[Verdict, str]:
    """Check that the rules' own reading of the evidence supports the action and its cause."""
    if not question.plan.action.changes_registry:
        return _ALLOWED, "the plan executes nothing"
    objection = _find_objection(question)
    if objection:
        return Verdict.ESCALATE, objection
    return _ALLOWED, f"the rules support {question.plan.action} because of {question.plan.cause}"


def _find_objection(question: PolicyQuestion) -> str:
    """Return why the rules do not support the plan; empty if they do."""
    facts, limit = question.facts, question.limits.rules_likelihood_at_least
    if not facts.rules_support:
        return facts.rules_reason or "the rules do not support the plan"
    if facts.rules_likelihood >= limit:
        return ""
    return (
        f"the rules give the cause {question.plan.cause} a likelihood of "
        f"{facts.rules_likelihood:.3f}, below {limit:.2f}"
    )


def _check_inaction_confidence(question: PolicyQuestion) -> tuple[Verdict, str]:
    """Check that a real loss is not left alone because an analyst was vague, empty or wrong."""
    facts, limits = question.facts, question.limits
    if question.plan.action not in _IDLE:
        return _ALLOWED, "the plan is not to do nothing"
    if not facts.degraded:
        return _ALLOWED, "no loss of the metric beyond its tolerance is known"
    objection = _find_objection(question)
    if not objection and facts.confidence > limits.confidence_above:
        return Verdict.MONITOR, f"confidence {facts.confidence:.3f} is enough to do nothing"
    if not objection and facts.rules_cause is Cause.HARMLESS:
        return Verdict.MONITOR, "the rules agree that the drift is harmless"
    reason = objection or (
        f"confidence {facts.confidence:.3f} is not above {limits.confidence_above:.2f}"
    )
    return Verdict.ESCALATE, f"doing nothing about a loss needs a person: {reason}"


def _check_signature(question: PolicyQuestion) -> tuple[Verdict, str]:
    if question.facts.event_signed:
        return _ALLOWED, "an accepted publisher signed the event"
    if not question.plan.action.changes_registry:
        return _ALLOWED, "the event is not signed, and the plan executes nothing"
    return Verdict.ESCALATE, "no accepted publisher signed the event"


def _check_source_notice(question: PolicyQuestion) -> tuple[Verdict, str]:
    """Check that the owner of broken data is told, and not asked, if the rules see it broken."""
    if question.plan.action is not Action.FIX_SOURCE:
        return _ALLOWED, "the plan is not to mend the data at its source"
    objection = _find_objection(question)
    if objection:
        return Verdict.ESCALATE, objection
    return Verdict.NOTIFY, f"the owner mends the source because of {question.plan.cause}"


def _build_claim_rule(name: str) -> Rule:
    """Return a rule that escalates every plan if a claim of the event contradicts the facts."""

    def check(question: PolicyQuestion) -> tuple[Verdict, str]:
        found = [each for each in question.facts.contradictions if each.rule == name]
        if not found:
            return _ALLOWED, "no claim of the event contradicts what is known"
        return Verdict.ESCALATE, "; ".join(each.statement for each in found)[:_MAX_REASON_LENGTH]

    return check
