"""Lists the workflows that the workers of the queue `trimtab` run, and builds their sandbox."""

from typing import Final

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._runner import _Instance

from workflows.drift_response import DriftResponseWorkflow
from workflows.monitoring import MonitoringWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.remediation import RemediationWorkflow
from workflows.sweep import SweepWorkflow

DETERMINISTIC: Final = (
    "activities",
    "agents",
    "policies",
    "trimtab",
    "_cffi_backend",
    "cryptography",
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
are loaded for each run, under the sandbox's restrictions.

`cryptography` must be among them: its Rust part imports its exceptions when it raises one, and a
second copy of them in the sandbox aborts the whole process. An answer with a wrong signature would
end every worker that reads it."""


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
        ReconciliationWorkflow,
    ]


def extend_deadlock_timeout(worker: Worker) -> None:
    """Give a workflow task more than the SDK's two seconds before it is taken for a deadlock.

    On a busy machine two seconds pass while a task waits for a processor. The SDK then interrupts
    its thread wherever that is, which may cost the worker one of its few slots for ever. There is
    no public option but TEMPORAL_DEBUG, which switches the sandbox off.
    """
    if worker._workflow_worker is not None:  # noqa: SLF001 - see above
        worker._workflow_worker._deadlock_timeout_seconds = DEADLOCK_SECONDS  # noqa: SLF001


class _Sandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox, which is not asked for the context of each payload.

    Our converters use no context, and payloads are not stored elsewhere. The SDK asks all the same:
    it compiles code and enters the sandbox twice for every payload, a sixth of a worker's time.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _SandboxedInstance(det, self.runner_class, self.restrictions)


class _SandboxedInstance(_Instance):
    def get_serialization_context(self, command_info: CommandInfo | None) -> None:  # noqa: ARG002
        return None

    def get_external_store_context(
        self,
        command_info: CommandInfo | None,  # noqa: ARG002
    ) -> StorageDriverStoreContext:
        return _NO_STORE


_NO_STORE: Final = StorageDriverStoreContext()


def build_workflow_runner() -> SandboxedWorkflowRunner:
    """Return Temporal's sandbox with its restrictions, which shares what is deterministic."""
    return _Sandbox(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*DETERMINISTIC)
    )
