"""Reads what was done so far, and any freeze, right before a decision."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.usage import UsageActivities
    from policies.ledger import build_usage_query
    from trimtab.contracts.budget import ModelUsage
    from trimtab.contracts.incident import IncidentInput
    from workflows import options
    from workflows.failure import format_cause


async def read_usage(incident: IncidentInput, *, now: datetime, is_new: bool) -> ModelUsage:
    """Return what was done so far and any freeze; nothing is known if they cannot be read.

    What is not known escalates where the policy needs it, and the mint reads both again.

    Args:
        incident: The incident that is to be decided.
        now: The instant of the decision.
        is_new: Whether the incident is younger than this read; the others say it by their patch.
    """
    # Incidents that began before this read existed replay without it.
    if not is_new and not workflow.patched("read-usage-before-decision"):
        return ModelUsage()
    event = incident.event
    query = build_usage_query(event.subject, event.id, limits=incident.limits, now=now)
    try:
        return await workflow.execute_local_activity_method(
            UsageActivities.read_usage,
            query,
            summary=f"what was done so far on {event.subject} and on all models",
            **options.READ_USAGE,
        )
    except FailureError as error:
        # A local activity may fail with the error that it raised, and not with `ActivityError`.
        if is_cancelled_exception(error):
            raise
        workflow.logger.error("usage_not_read", extra={"reason": format_cause(error)})
        return ModelUsage()
