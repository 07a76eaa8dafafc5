"""Describes a finding in the words by which similar cases are searched for.

The knowledge base finds documents by meaning. Its own documents are indexed under these same
sentences, so their words are changed together with that index only.
"""

from typing import Final

from trimtab.contracts.drift import DriftFinding, FeatureRole

MAIN_SHARE: Final = 0.5
"""Share of a loss from which its cause is called the main one."""
_MAX_NAMED: Final = 5
"""Number of columns, and of faults, that are named."""


def describe_finding(finding: DriftFinding) -> str:
    """Return the finding in a few sentences."""
    drifted = ", ".join(f"{column.role} {column.name}" for column in finding.drifted[:_MAX_NAMED])
    faults = ", ".join(fault.kind.replace("_", " ") for fault in finding.quality[:_MAX_NAMED])
    sentences = [f"Drift of {drifted}." if drifted else "No column's distribution drifted."]
    if faults:
        sentences.append(f"Data quality faults: {faults}.")
    if any(column.role is FeatureRole.TARGET for column in finding.drifted):
        sentences.append("The distribution of the target moved: label shift.")
    sentences.append(_describe_performance(finding))
    return " ".join(sentences)


def _describe_performance(finding: DriftFinding) -> str:
    change, estimate = finding.performance, finding.estimate
    if change is None and estimate is not None and estimate.degraded:
        return "No labels have come yet; the model is expected to do worse on these inputs."
    if change is None:
        return "No labels have come yet."
    if change.degraded:
        return f"The model's performance degraded on labelled rows{_describe_loss(finding)}"
    return "The model's performance has not degraded: the drift looks harmless."


def _describe_loss(finding: DriftFinding) -> str:
    """Return what the loss is attributed to, if that was estimated."""
    change, unexplained = finding.performance, finding.concept_loss
    if change is None or unexplained is None:
        return "; should it be retrained?"
    if unexplained >= MAIN_SHARE * (change.reference - change.current):
        return ", and not for its inputs: the same inputs have come to mean another target."
    return ", for its inputs: they moved to where the model errs more."
