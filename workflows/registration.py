"""Lists the workflows that the workers of the queue `trimtab` run, and builds their sandbox."""

from typing import Final

from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.drift_response import DriftResponseWorkflow
from workflows.monitoring import MonitoringWorkflow
from workflows.remediation import RemediationWorkflow
from workflows.sweep import SweepWorkflow

DETERMINISTIC: Final = (
    "activities",
    "agents",
    "policies",
    "trimtab",
    "google.adk",
    "google.genai",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "rfc8785",
    "structlog",
)
"""Packages that each workflow run shares instead of importing them anew: they keep no state between
runs and ask nothing of the clock, of chance or of the outside in workflow code, which
`tests/architecture` checks for our own. The workflows themselves are not among them: their modules
are loaded for each run, under the sandbox's restrictions."""


DEADLOCK_SECONDS: Final = 30
"""Time that one workflow task may keep its thread. Temporal gives the task to somebody else after
ten seconds, but the run is not broken."""


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


def extend_deadlock_timeout(worker: Worker) -> None:
    """Give a workflow task more than the SDK's two seconds before it is taken for a deadlock.

    On a busy machine two seconds pass while a task waits for a processor. The SDK then interrupts
    its thread wherever that is, which may cost the worker one of its few slots for ever. There is
    no public option but TEMPORAL_DEBUG, which switches the sandbox off.
    """
    if worker._workflow_worker is not None:  # noqa: SLF001 - see above
        worker._workflow_worker._deadlock_timeout_seconds = DEADLOCK_SECONDS  # noqa: SLF001


def build_workflow_runner() -> SandboxedWorkflowRunner:
    """Return Temporal's sandbox with its restrictions, which shares what is deterministic."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*DETERMINISTIC)
    )
