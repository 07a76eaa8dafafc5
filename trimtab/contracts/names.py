"""Names that outlive a release: histories, registries and operators' queries hold them.

Workflow types, workflow ids, task queues, search attributes, experiments. None is ever renamed.
Signals and updates are named by their handlers in `workflows`, tags in `trimtab.contracts.tags`.
"""

from typing import Final, Literal

DRIFT_RESPONSE: Final = "DriftResponseWorkflow"
DELIBERATION: Final = "DeliberationWorkflow"
REMEDIATION: Final = "RemediationWorkflow"
MONITORING: Final = "MonitoringWorkflow"
SWEEP: Final = "SweepWorkflow"
RECONCILIATION: Final = "ReconciliationWorkflow"

MAIN_QUEUE: Final = "trimtab"
"""Workflows and light activities."""
AGENTS_QUEUE: Final = "trimtab-agents"
"""Model calls and read-only tools."""
ACTIONS_QUEUE: Final = "trimtab-actions"
"""The only workers that hold write access to the registry, and that check grants."""
QUEUES: Final = (MAIN_QUEUE, AGENTS_QUEUE, ACTIONS_QUEUE)
"""Every task queue."""

MODEL: Final = "TrimtabModel"
STAGE: Final = "TrimtabStage"
SEVERITY: Final = "TrimtabSeverity"
VERDICT: Final = "TrimtabVerdict"
ACTION: Final = "TrimtabAction"
ENDING: Final = "TrimtabEnding"
CONFIDENCE: Final = "TrimtabConfidence"
CORRELATION_ID: Final = "TrimtabCorrelationId"

SearchAttributeType = Literal["Keyword", "Double"]
SEARCH_ATTRIBUTES: Final[dict[str, SearchAttributeType]] = {
    MODEL: "Keyword",
    STAGE: "Keyword",
    SEVERITY: "Keyword",
    VERDICT: "Keyword",
    ACTION: "Keyword",
    ENDING: "Keyword",
    CONFIDENCE: "Double",
    CORRELATION_ID: "Keyword",
}
"""Name and type of what incidents are found by, as the `temporal` command spells the types."""

SCHEDULE_PREFIX: Final = "monitoring/"
"""What the id of a model's schedule, and of each run of it, begins with."""
SWEEP_ID: Final = "sweep/incidents"
"""Id of the schedule that looks for incidents without a workflow, and what its runs begin with."""
RECONCILIATION_ID: Final = "reconciliation/log"
"""Id of the schedule that holds the audit log against registry and Temporal, and what its runs
begin with."""
DRIFT_RESPONSE_PREFIX: Final = "drift-response/"
"""What the id of every incident's workflow begins with."""
INCIDENTS_EXPERIMENT: Final = "trimtab/incidents"
"""The MLflow experiment with one run per closed incident."""


def build_drift_response_id(model: str, event_id: str) -> str:
    """Return the id of the workflow that responds to one event: an event is one incident.

    A slash in the model's name is escaped, so that no two pairs share an id.
    """
    return f"{DRIFT_RESPONSE_PREFIX}{model.replace('/', '%2F')}/{event_id}"


def build_deliberation_id(model: str, event_id: str) -> str:
    """Return the id of the child workflow in which the agents deliberate on one event.

    Two models may have events of one id.
    """
    return f"deliberation/{model.replace('/', '%2F')}/{event_id}"


def build_former_deliberation_id(event_id: str) -> str:
    """Return the id that incidents use which began before it named the model."""
    return f"deliberation/{event_id}"


def build_remediation_id(model: str) -> str:
    """Return the id of a model's remediation; Temporal lets one of that id run at a time."""
    return f"remediation/{model}"


def build_schedule_id(model: str) -> str:
    """Return the id of the Temporal Schedule that monitors a model."""
    return SCHEDULE_PREFIX + model


def build_experiment_name(model: str, kind: Literal["training", "monitoring", "baselines"]) -> str:
    """Return the name of one of a model's MLflow experiments."""
    return f"trimtab/{model}/{kind}"
