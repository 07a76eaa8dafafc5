"""Asks Temporal which workflows of incidents there are, and whether one runs."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts import names
from trimtab.contracts.reconciliation import IncidentWorkflow
from trimtab.contracts.remediation import RemediationInput

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

        A workflow of another type, or on another queue, that took the id does not count: none of
        our workers carries it on, so it closes nothing.
        """
        for workflow_id in workflow_ids:
            handle = self._get_client().get_workflow_handle(workflow_id)
            try:
                found = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    continue
                raise
            if _is_running(found) and _is_own(found):
                return True
        return False

    async def find_remediation(self, workflow_id: str) -> RemediationInput | None:
        """Return what the incident's workflow asked its remediation for last.

        None if it asked for none, if Temporal no longer keeps its history, or if what it asked for
        cannot be read: somebody else wrote it.
        """
        client = self._get_client()
        found = None
        try:
            async for event in client.get_workflow_handle(workflow_id).fetch_history_events(
                rpc_timeout=_RPC_TIMEOUT
            ):
                asked = event.start_child_workflow_execution_initiated_event_attributes
                if asked.workflow_type.name == names.REMEDIATION:
                    found = asked.input.payloads
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        if not found:
            return None
        try:
            (request,) = await client.data_converter.decode(found, [RemediationInput])
            return RemediationInput.model_validate(request)
        except Exception:  # noqa: BLE001 - whatever cannot be read, no incident of ours asked for
            return None

    async def list_workflows(self) -> tuple[IncidentWorkflow, ...]:
        """Return every workflow that acts for an incident, or has an incident's id."""
        found = [each async for each in self._get_client().list_workflows(_QUERY)]
        runs = Counter(each.id for each in found)
        return tuple(
            [
                IncidentWorkflow(
                    id=each.id,
                    type=each.workflow_type,
                    running=_is_running(each) and each.task_queue == names.MAIN_QUEUE,
                    started_at=each.start_time,
                    first_run=await self._find_first_run(each) if runs[each.id] > 1 else "",
                )
                for each in found
            ]
        )

    async def _find_first_run(self, found: WorkflowExecution) -> str:
        """Return the id of the run that somebody started; empty if Temporal no longer knows it."""
        handle = self._get_client().get_workflow_handle(found.id, run_id=found.run_id)
        try:
            described = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return ""
            raise
        return described.raw_description.workflow_execution_info.first_run_id


def _is_own(found: WorkflowExecution) -> bool:
    return found.workflow_type in _INCIDENT_TYPES and found.task_queue == names.MAIN_QUEUE


def _is_running(found: WorkflowExecution) -> bool:
    return found.status is WorkflowExecutionStatus.RUNNING
