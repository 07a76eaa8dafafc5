"""What the built-in analyst answers in each role: the rules' findings as replies, with quotes."""

from collections.abc import Sequence

from agents import rules
from agents.brief import Brief, Fault
from trimtab.contracts.deliberation import (
    Cause,
    Hypothesis,
    OptionReply,
    PlanReply,
    ReviewReply,
    RootCauseReply,
    TriageReply,
)
from trimtab.contracts.drift import FeatureRole, Severity
from trimtab.contracts.evidence import Citation
from trimtab.contracts.evidence_ids import (
    ALL_INPUTS,
    CHAMPION_PERFORMANCE,
    CONCEPT_LOSS,
    ESTIMATED_PERFORMANCE,
    build_drift_id,
    build_metric_id,
    build_quality_id,
)
from trimtab.contracts.remediation import Action

_QUOTE_LENGTH = 400
_WORTH_NAMING = 0.01
_TELLING = 0.3
"""Gravity from which a fault is named among the facts."""
_CLOSE = 0.15
"""Lead of the first cause over the second below which the review has a concern."""


def triage(brief: Brief) -> TriageReply:
    """How grave it is by the figures, the worst columns, and what would tell the causes apart."""
    first, second = _leading(_likelihoods(brief))[:2]
    return TriageReply(
        severity=_severity(brief),
        focus=[*dict.fromkeys(_faulty_columns(brief) + _moved_columns(brief))][:3],
        question=f"What tells {_words(first)} from {_words(second)} here?",
    )


def root_cause(brief: Brief) -> RootCauseReply:
    """The causes by likelihood, and the items that speak for the first."""
    shares = _likelihoods(brief)
    cause, second = _leading(shares)[:2]
    named = [
        (each, share) for each, share in shares.items() if share >= _WORTH_NAMING or each is second
    ]
    return RootCauseReply(
        cause=cause,
        hypotheses=[Hypothesis(cause=each, likelihood=round(share, 4)) for each, share in named],
        citations=_cite(brief, _grounds(brief, cause)),
        explanation=(
            f"{' '.join(_facts(brief))} Most likely {_words(cause)} ({shares[cause]:.2f}), "
            f"then {_words(second)} ({shares[second]:.2f})."
        )[:1500],
        confidence=round(shares[cause], 4),
    )


def plan(brief: Brief) -> PlanReply:
    """The fittest action, with the others that are possible."""
    fit = rules.choose(brief, _shares_found(brief))
    action = next(iter(fit))
    target = rules.better_version(brief) if action is Action.ROLL_BACK else None
    return PlanReply(
        action=action,
        target_version=target.name if target else None,
        options=[_option(each, brief) for each in fit],
        citations=_cite(brief, _grounds_of_action(brief, action)),
        confidence=round(min(1.0, fit[action]), 4),
    )


def review(brief: Brief) -> ReviewReply:
    """Whether cause and plan follow from the evidence; says what does not."""
    grave, slight = _contradictions(brief), _doubts(brief)
    confidence = 0.0 if grave else _review_confidence(brief)
    return ReviewReply(
        agrees=not grave,
        concerns=[*grave, *slight][:5],
        summary=_summary(brief)[:800],
        confidence=round(confidence, 4),
    )


def _likelihoods(brief: Brief) -> dict[Cause, float]:
    return rules.likelihoods(rules.read_signals(brief))


def _leading(shares: dict[Cause, float]) -> list[Cause]:
    return list(shares)


def _shares_found(brief: Brief) -> dict[Cause, float]:
    """What the investigator found, or the rules' own view where nobody did."""
    return brief.root_cause.likelihoods if brief.root_cause else _likelihoods(brief)


def _severity(brief: Brief) -> Severity:
    if any(fault.corrupt for fault in brief.finding.faults):
        return max(brief.finding.severity, Severity.HIGH, key=lambda each: each.rank)
    loss = rules.lost(brief)
    if loss is not None and loss <= 1.0:
        return min(brief.finding.severity, Severity.MEDIUM, key=lambda each: each.rank)
    return brief.finding.severity


def _faulty_columns(brief: Brief) -> list[str]:
    return [fault.column for fault in _grave(brief) if fault.column]


def _moved_columns(brief: Brief) -> list[str]:
    return [each.name for each in brief.finding.moved if each.role is not FeatureRole.PREDICTION]


def _facts(brief: Brief) -> list[str]:
    return [_performance_fact(brief), _moves_fact(brief), *_version_facts(brief), *_faults(brief)]


def _performance_fact(brief: Brief) -> str:
    performance, loss = brief.finding.performance, rules.lost(brief)
    if performance is None or loss is None:
        return f"No labels tell how the model does.{_estimate_fact(brief)}"
    change = f"went from {performance.reference:.3f} to {performance.current:.3f}"
    return (
        f"{performance.metric} {change} on {performance.rows} labelled rows, "
        f"a loss of {loss:.1f} times the tolerance of {brief.model.tolerance:g}."
        f"{_concept_fact(brief)}"
    )


def _estimate_fact(brief: Brief) -> str:
    found = brief.finding.estimate
    if found is None:
        return ""
    change = f"from {found.reference:.3f} to {found.estimated:.3f}"
    return f" By its inputs alone, {found.metric} is expected to go {change}."


def _concept_fact(brief: Brief) -> str:
    beyond = brief.finding.concept_loss
    if beyond is None:
        return ""
    return f" Of it, {beyond:.3f} is more than covariate shift explains."


def _moves_fact(brief: Brief) -> str:
    inputs = rules.largest_move(brief, FeatureRole.FEATURE)
    target = rules.largest_move(brief, FeatureRole.TARGET)
    return f"The largest psi among inputs is {inputs:.3f}, the target's {target:.3f}."


def _version_facts(brief: Brief) -> list[str]:
    best, champion = rules.better_version(brief), rules.champion_now(brief)
    if best is None or champion is None:
        return []
    return [f"Version {best.name} does better on the newest rows: {best.value:.3f}."]


def _faults(brief: Brief) -> list[str]:
    return [
        f"{'The data is corrupt' if fault.corrupt else 'There is a fault in the data'}: "
        f"{fault.kind} in {fault.column or 'the window'} ({fault.fraction:.1%} of rows)."
        for fault in _grave(brief)
    ][:2]


def _grave(brief: Brief) -> list[Fault]:
    """The faults that may explain what happened, the gravest first."""
    telling = [fault for fault in brief.finding.faults if rules.gravity(fault) >= _TELLING]
    return sorted(telling, key=rules.gravity, reverse=True)


def _grounds(brief: Brief, cause: Cause) -> list[str]:
    """Ids of the items that bear on a cause, strongest first."""
    columns = [build_drift_id(name) for name in _moved_columns(brief)[:2]]
    looked = [item.id for item in brief.evidence if item.inspected]
    if cause is Cause.DATA_QUALITY:
        return [*_fault_items(brief)[:3], CHAMPION_PERFORMANCE]
    if cause is Cause.BAD_RELEASE:
        return [*_version_items(brief), CHAMPION_PERFORMANCE]
    known = [CHAMPION_PERFORMANCE, *_telling(cause)]
    return [*known, *columns, *looked[:1], *_version_items(brief)[:1]]


def _telling(cause: Cause) -> list[str]:
    """What tells covariate shift from concept drift."""
    if cause is Cause.CONCEPT_DRIFT:
        return [CONCEPT_LOSS]
    if cause is Cause.COVARIATE_SHIFT:
        return [ESTIMATED_PERFORMANCE, ALL_INPUTS]
    return []


def _grounds_of_action(brief: Brief, action: Action) -> list[str]:
    cause = Cause.BAD_RELEASE if action is Action.ROLL_BACK else next(iter(_shares_found(brief)))
    return _grounds(brief, cause)


def _version_items(brief: Brief) -> list[str]:
    best = rules.better_version(brief)
    names = [best.name] if best else []
    return [build_metric_id(name) for name in (*names, brief.model.champion) if name]


def _fault_items(brief: Brief) -> list[str]:
    ids = (build_quality_id(fault.kind, fault.column) for fault in brief.finding.faults)
    return list(dict.fromkeys(ids))


def _cite(brief: Brief, ids: Sequence[str]) -> list[Citation]:
    items = [rules.find(brief, item_id) for item_id in dict.fromkeys(ids)]
    return [
        Citation(evidence_id=item.id, quote=item.statement[:_QUOTE_LENGTH])
        for item in items
        if item is not None and item.statement
    ][:5]


def _option(action: Action, brief: Brief) -> OptionReply:
    fit = rules.fitness(action, _shares_found(brief))
    best = rules.better_version(brief)
    meets = f"Meets the causes found with a weight of {fit:.2f}."
    texts = {
        Action.MONITOR: (
            "Costs nothing and changes nothing.",
            "If the metric is worse, it stays so until somebody acts.",
        ),
        Action.RETRAIN: (
            "A version that knows the newest rows; promoted only if it beats the champion.",
            "What was learnt lately may not last, and older patterns may be forgotten.",
        ),
        Action.ROLL_BACK: (
            f"Version {best.name if best else '?'} serves at once; nothing has to be trained.",
            "The earlier version has not seen what came after it.",
        ),
    }
    benefit, risk = texts[action]
    return OptionReply(action=action, rationale=meets, benefit=benefit, risk=risk)


def _contradictions(brief: Brief) -> list[str]:
    """What makes the plan wrong by the evidence."""
    if brief.plan is None or brief.root_cause is None:
        return ["There is no cause or no plan to review."]
    shown = {item.id for item in brief.evidence}
    cited = {*brief.root_cause.citations, *brief.plan.citations}
    faults = []
    if unknown := sorted(cited - shown):
        faults.append(f"Cited but not in the evidence: {', '.join(unknown)[:200]}.")
    if brief.plan.action not in rules.choose(brief, _likelihoods(brief)):
        faults.append(f"The evidence does not allow to {_words(brief.plan.action)}.")
    loss = rules.lost(brief)
    if brief.plan.action is not Action.MONITOR and loss is not None and loss <= 0.0:
        faults.append("The plan acts although the metric has not become worse.")
    return faults


def _doubts(brief: Brief) -> list[str]:
    doubts = []
    shares = list(_shares_found(brief).values())
    if len(shares) > 1 and shares[0] - shares[1] < _CLOSE:
        doubts.append("Another cause explains the evidence nearly as well.")
    if rules.lost(brief) is None:
        doubts.append("No labels tell how the model does.")
    if rules.unseen(brief) and rules.lost(brief):
        seen = f"{brief.finding.history_days} days were seen"
        doubts.append(f"Only {seen}: a season cannot be told from a lasting change.")
    if any(fault.corrupt for fault in brief.finding.faults):
        doubts.append("The data is corrupt: somebody must mend it at its source.")
    return doubts


def _review_confidence(brief: Brief) -> float:
    """How likely the plan is right by the rules' own view of the evidence."""
    if brief.plan is None:
        return 0.0
    return min(1.0, rules.fitness(brief.plan.action, _likelihoods(brief)))


def _summary(brief: Brief) -> str:
    if brief.plan is None or brief.root_cause is None:
        return "Nothing was proposed."
    version = f" to version {brief.plan.target_version}" if brief.plan.target_version else ""
    return (
        f"{_performance_fact(brief)} {_moves_fact(brief)} "
        f"The cause is most likely {_words(brief.root_cause.cause)}. "
        f"Proposed: {_words(brief.plan.action)}{version}."
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
