"""Tells a second delivery of an event from an id that something else has taken.

Temporal only says that a workflow of that id exists. Whoever has access to Temporal can start one,
and whoever can publish can use an id twice: in both cases an event would vanish without a word.
"""

from datetime import timedelta
from typing import Final

import structlog
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.client import Client

from trimtab.bridge.event_parsing import EventRejectedError
from trimtab.contracts import names
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.event_signature import build_comparable_content
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.paths import format_command, temporal_command

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_CONFIGURED: Final = (
    "spec", "limits", "analyst", "deliberation_timeout", "call_timeout", "as_of"
)  # fmt: skip
"""Fields of the input that the bridge's configuration sets."""
_MAX_FIELDS_NAMED: Final = 8

_log = structlog.get_logger(__name__)


async def check_same_incident(client: Client, incident: IncidentInput) -> None:
    """Return if the workflow with the incident's id was started for the same event as by us.

    Raises:
        EventRejectedError: It was not; the message says how it differs and what to do.
        RPCError: Temporal does not answer.
    """
    workflow_id = build_drift_response_id(incident.event.subject, incident.event.id)
    started = await _read_start(client, workflow_id)
    found = await _read_input(client, started) if started is not None else None
    if found is None:
        foreign = "an unknown workflow"
        if started is not None:
            foreign = f"{started.workflow_type.name!r} on queue {started.task_queue.name!r}"
        _log.error("incident_id_taken", workflow_id=workflow_id, by=foreign)
        msg = (
            f"the id {workflow_id} is taken by a workflow that no bridge started: {foreign}; "
            f"{_format_remedy(workflow_id)}"
        )
        raise EventRejectedError(msg)
    if changed := _find_differences(found.event, incident.event):
        msg = (
            f"incident {workflow_id} was opened with other content: {', '.join(changed)} differ; "
            "publish the event under an id of its own"
        )
        raise EventRejectedError(msg)
    if changed := [name for name in _CONFIGURED if getattr(found, name) != getattr(incident, name)]:
        _log.error("incident_configured_otherwise", workflow_id=workflow_id, fields=changed)
        msg = (
            f"incident {workflow_id} was opened with another configuration than this bridge has: "
            f"{', '.join(changed)} differ; if the configuration was changed since, the event has "
            f"its incident; if not, somebody else started it: {_format_remedy(workflow_id)}"
        )
        raise EventRejectedError(msg)


async def _read_start(
    client: Client, workflow_id: str
) -> WorkflowExecutionStartedEventAttributes | None:
    handle = client.get_workflow_handle(workflow_id)
    async for event in handle.fetch_history_events(page_size=1, rpc_timeout=_RPC_TIMEOUT):
        return event.workflow_execution_started_event_attributes
    return None


async def _read_input(
    client: Client, started: WorkflowExecutionStartedEventAttributes
) -> IncidentInput | None:
    """Return the input of a workflow of our type on our queue; None for any other."""
    ours = (names.DRIFT_RESPONSE, names.MAIN_QUEUE)
    if (started.workflow_type.name, started.task_queue.name) != ours:
        return None
    try:
        values = await client.data_converter.decode(started.input.payloads, [IncidentInput])
    except Exception:  # noqa: BLE001 - whatever cannot be read was not written by a bridge
        return None
    return values[0] if values and isinstance(values[0], IncidentInput) else None


def _find_differences(there: DriftEvent, here: DriftEvent) -> list[str]:
    """Return the names of the fields in which two events of the same id differ."""
    before, now = build_comparable_content(there), build_comparable_content(here)
    changed = [
        f"data.{name}"
        for name in before["data"] | now["data"]
        if before["data"].get(name) != now["data"].get(name)
    ]
    changed += [
        name for name in before | now if name != "data" and before.get(name) != now.get(name)
    ]
    return changed[:_MAX_FIELDS_NAMED]


def _format_remedy(workflow_id: str) -> str:
    delete = f"{temporal_command()} workflow delete --workflow-id '{workflow_id}'"
    retry = format_command("events", "retry")
    return f"look at it, delete it (`{delete}`), and publish the event again (`{retry} ID`)"
