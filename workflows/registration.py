"""Lists the workflows that the workers of the queue `trimtab` run."""

from workflows.drift_response import DriftResponseWorkflow
from workflows.monitoring import MonitoringWorkflow
from workflows.remediation import RemediationWorkflow
from workflows.sweep import SweepWorkflow


def list_workflows(*, deliberation: type) -> list[type]:
    """Return every workflow class.

    Args:
        deliberation: The class registered as `DeliberationWorkflow`. It is passed in because only
            a front door may import ADK, and so that tests can replace the agents.
    """
    return [
        DriftResponseWorkflow,
        deliberation,
        RemediationWorkflow,
        MonitoringWorkflow,
        SweepWorkflow,
    ]
