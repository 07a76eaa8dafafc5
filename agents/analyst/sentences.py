"""Words the facts of a brief for people."""

from agents.analyst.brief_figures import read_figures
from agents.brief import Brief, FaultBrief
from policies.judgement.faults import rate_fault
from policies.judgement.figures import (
    DataFault,
    compute_largest_psi,
    compute_loss,
    find_better_version,
    get_champion_metric,
)
from trimtab.contracts.drift import FeatureRole

NO_LABELS = "There are no labels to measure the model's performance."
_MIN_GRAVITY = 0.3
"""Gravity from which a fault is named."""
_MAX_FAULTS = 2


def list_facts(brief: Brief) -> list[str]:
    """Return a sentence for each fact that bears on the cause."""
    return [
        describe_performance(brief),
        describe_moves(brief),
        *_describe_versions(brief),
        *_describe_faults(brief),
    ]


def describe_performance(brief: Brief) -> str:
    """Return how the metric changed, or what is expected of it without labels."""
    performance, loss = brief.finding.performance, compute_loss(read_figures(brief))
    if performance is None or loss is None:
        return f"{NO_LABELS}{_describe_estimate(brief)}"
    change = f"went from {performance.reference:.3f} to {performance.current:.3f}"
    return (
        f"{performance.metric} {change} on {performance.rows} labelled rows, "
        f"a loss of {loss:.1f} times the tolerance of {brief.model.tolerance:g}."
        f"{_describe_concept_loss(brief)}"
    )


def describe_moves(brief: Brief) -> str:
    """Return how far inputs and target moved."""
    figures = read_figures(brief)
    inputs = compute_largest_psi(figures, FeatureRole.FEATURE)
    target = compute_largest_psi(figures, FeatureRole.TARGET)
    return f"The largest PSI among the inputs is {inputs:.3f}, the target's is {target:.3f}."


def list_grave_faults(brief: Brief) -> list[FaultBrief]:
    """Return the faults that may explain the finding, the gravest first."""
    grave = [fault for fault in brief.finding.faults if _rate_gravity(fault) >= _MIN_GRAVITY]
    return sorted(grave, key=_rate_gravity, reverse=True)


def format_name(name: str) -> str:
    """Return a cause or an action in words."""
    return name.replace("_", " ")


def _rate_gravity(fault: FaultBrief) -> float:
    return rate_fault(DataFault(fault.kind, fault.fraction, fault.corrupt))


def _describe_estimate(brief: Brief) -> str:
    found = brief.finding.estimate
    if found is None:
        return ""
    change = f"from {found.reference:.3f} to {found.estimated:.3f}"
    return f" Judged by the inputs alone, {found.metric} is expected to go {change}."


def _describe_concept_loss(brief: Brief) -> str:
    unexplained = brief.finding.concept_loss
    if unexplained is None:
        return ""
    return f" Covariate shift does not explain {unexplained:.3f} of that loss."


def _describe_versions(brief: Brief) -> list[str]:
    figures = read_figures(brief)
    best, champion = find_better_version(figures), get_champion_metric(figures)
    if best is None or champion is None:
        return []
    return [f"Version {best.name} is better on the newest rows: {best.value:.3f}."]


def _describe_faults(brief: Brief) -> list[str]:
    return [
        f"{'The data is corrupt' if fault.corrupt else 'The data has a fault'}: "
        f"{fault.kind} in {fault.column or 'the window'} ({fault.fraction:.1%} of rows)."
        for fault in list_grave_faults(brief)
    ][:_MAX_FAULTS]
