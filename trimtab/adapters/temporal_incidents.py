"""Asks Temporal which workflows of incidents there are, and whether one runs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts import names
from trimtab.contracts.reconciliation import IncidentWorkflow

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_QUERY: Final = (
    f"WorkflowType = '{names.DRIFT_RESPONSE}' OR WorkflowType = '{names.REMEDIATION}'"
    f" OR WorkflowId STARTS_WITH '{names.DRIFT_RESPONSE_PREFIX}'"
)
_INCIDENT_TYPES: Final = frozenset({names.DRIFT_RESPONSE, names.REMEDIATION})


class TemporalIncidents:
    """The port `IncidentSearch`; the client is asked for when it is needed."""

    def __init__(self, get_client: Callable[[], Client]) -> None:
        self._get_client = get_client

    async def is_running(self, *workflow_ids: str) -> bool:
        """Return whether a workflow of ours runs under any of these ids.

        A workflow of another type that took the id does not count: it closes nothing.
        """
        for workflow_id in workflow_ids:
            handle = self._get_client().get_workflow_handle(workflow_id)
            try:
                found = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    continue
                raise
            if _is_running(found) and found.workflow_type in _INCIDENT_TYPES:
                return True
        return False

    async def list_workflows(self) -> tuple[IncidentWorkflow, ...]:
        """Return every workflow that acts for an incident, or has an incident's id."""
        return tuple(
            [
                IncidentWorkflow(
                    id=each.id,
                    type=each.workflow_type,
                    running=_is_running(each),
                    started_at=each.start_time,
                )
                async for each in self._get_client().list_workflows(_QUERY)
            ]
        )


def _is_running(found: WorkflowExecution) -> bool:
    return found.status is WorkflowExecutionStatus.RUNNING
