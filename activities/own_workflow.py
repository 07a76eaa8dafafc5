"""Answers our own workflows alone: whoever reaches Temporal can start any activity with any input.

A local activity never passes through the server. It runs in the worker that runs the workflow's
code, and there is only our code.
"""

from collections.abc import Mapping

from temporalio import activity

from trimtab.contracts import names
from trimtab.contracts.ports import Refused


def list_incident_workflows(model: str, incident: str) -> dict[str, str]:
    """Return the workflows that act for an incident: type and id."""
    return {
        names.DRIFT_RESPONSE: names.build_drift_response_id(model, incident),
        names.REMEDIATION: names.build_remediation_id(model),
    }


def require_own_workflow(allowed: Mapping[str, str], *, local: bool) -> None:
    """Check who called the running activity.

    Args:
        allowed: Workflow types, and the one id that a workflow of each type may have.
        local: Whether the activity must be a local one.

    Raises:
        Refused: None of these workflows called it.
    """
    info = activity.info()
    caller = f"{info.workflow_type} {info.workflow_id!r}" if info.workflow_id else "no workflow"
    if allowed.get(info.workflow_type or "") != info.workflow_id or info.workflow_id is None:
        wanted = " or ".join(f"{kind} {one!r}" for kind, one in allowed.items())
        msg = f"{info.activity_type} answers {wanted}, and was called by {caller}"
        raise Refused(msg)
    if local and not info.is_local:
        msg = f"{info.activity_type} answers workflow code, and was called through the server"
        raise Refused(msg)
