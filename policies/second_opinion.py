"""Forms a second opinion on an incident that no language model can touch, and holds plans to it.

The rules of `policies.judgement` rate causes and actions from measurements alone: the event, the
model's configuration and the evidence. They cost milliseconds, so they always run, whoever the
analyst is. A plan that they do not support goes to a person.
"""

from dataclasses import dataclass
from typing import Any, Final

from policies.judgement.actions import MIN_FIT, RankedAction, get_fit, rank_actions
from policies.judgement.causes import compute_likelihoods, find_further_causes
from policies.judgement.figures import Figures, collect_figures, compute_loss
from policies.judgement.signals import read_signals
from trimtab.contracts.deliberation import Cause, RemediationPlan
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Action

MIN_SHARE_OF_FITTEST: Final = 0.5
"""Fitness of an action, relative to the fittest one, from which the rules support it."""


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """What the rules conclude about an incident."""

    likelihoods: dict[Cause, float]
    """Likelihood of each cause, the most likely first; they sum to 1."""
    also: tuple[Cause, ...]
    """Causes that are at work as well."""
    ranked: dict[Action, RankedAction]
    """The possible actions, the best first; others are ruled out by the evidence."""
    corrupt: bool
    """Whether the window's data is too faulty to learn from without a person."""
    loss: float | None
    """Loss of the metric in multiples of the tolerance; None without labels."""

    @property
    def cause(self) -> Cause:
        """The most likely cause."""
        return next(iter(self.likelihoods))

    @property
    def action(self) -> Action:
        """The best action."""
        return next(iter(self.ranked))


def form_second_opinion(
    finding: DriftFinding, spec: ModelSpec, pack: EvidencePack
) -> SecondOpinion:
    """Return what the rules conclude from the event, the configuration and the evidence."""
    return judge_figures(collect_figures(finding, spec, pack))


def judge_figures(figures: Figures) -> SecondOpinion:
    """Return what the rules conclude from an incident's figures."""
    signals = read_signals(figures)
    likelihoods = compute_likelihoods(signals)
    return SecondOpinion(
        likelihoods=likelihoods,
        also=find_further_causes(signals, next(iter(likelihoods))),
        ranked=rank_actions(figures, likelihoods),
        corrupt=any(fault.corrupt for fault in figures.faults),
        loss=compute_loss(figures),
    )


def explain_objection(plan: RemediationPlan, opinion: SecondOpinion) -> str:
    """Return why the rules do not support a plan; empty if they do.

    The action must be possible, fit the cause that the plan names, and be about as fit as the
    action that the rules would take. A plan to act needs a metric that is worse.
    """
    action, best_action = plan.action, opinion.action
    if action not in opinion.ranked:
        return f"the evidence rules out {action}"
    if get_fit(action, plan.cause) < MIN_FIT:
        return f"{action} does not fit the cause {plan.cause}"
    if action.changes_registry and opinion.loss is not None and opinion.loss <= 0.0:
        return f"{action} acts although the metric is not worse"
    if action is Action.RETRAIN and opinion.corrupt:
        return "retrain would learn from corrupt data"
    fitness, best = opinion.ranked[action].fitness, opinion.ranked[best_action].fitness
    if fitness < MIN_SHARE_OF_FITTEST * best:
        return (
            f"by the rules {action} has a fitness of {fitness:.2f} and {best_action} {best:.2f}: "
            f"the most likely cause is {opinion.cause} ({opinion.likelihoods[opinion.cause]:.2f})"
        )
    return ""


def collect_rules_facts(
    finding: DriftFinding, spec: ModelSpec, pack: EvidencePack, *, plan: RemediationPlan
) -> dict[str, Any]:
    """Return the fields of `Facts` that hold the rules' opinion on a plan, and what it rests on."""
    opinion = form_second_opinion(finding, spec, pack)
    objection = explain_objection(plan, opinion)
    return {
        "rules_support": not objection,
        "rules_reason": objection,
        "rules_cause": opinion.cause,
        "rules_likelihood": min(1.0, opinion.likelihoods[plan.cause]),
        "measured_metrics": pack.measured_metrics,
        "former_champions": pack.former_champions,
        "promotion_margin": spec.promotion_margin,
    }


def is_degraded(finding: DriftFinding) -> bool:
    """Return whether the metric lost more than is tolerated; an estimate counts without labels."""
    if finding.performance is not None and finding.performance.rows:
        return finding.performance.degraded
    return finding.estimate is not None and finding.estimate.degraded
