"""Shows how an incident ended, and keeps it for auditors and for the next one."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.incident import IncidentActivities
    from policies.notices import render_outcome
    from trimtab.contracts.incident import IncidentReport
    from workflows import options
    from workflows.failure import format_cause
    from workflows.policy_check import LOCAL_PATCH


def show_outcome(report: IncidentReport) -> None:
    """Show the outcome in the Web UI and the log."""
    workflow.set_current_details(render_outcome(report))
    workflow.logger.info(
        "incident_closed",
        extra={
            "incident": report.event_id,
            "model": report.model,
            "verdict": report.decision.verdict.value if report.decision else "",
            "ending": report.ending.value,
            "failure": report.failure,
        },
    )


async def remember(report: IncidentReport) -> None:
    """Keep the report in the registry and the knowledge base; the result has it in any case."""
    summary = f"{report.ending}: kept for auditors and for the next incident"
    try:
        if workflow.patched(LOCAL_PATCH):
            # Not by a task, which somebody else's worker could answer: without the record, whoever
            # reads the grant in a history could go on with a plan that a person has cancelled.
            await workflow.execute_local_activity_method(
                IncidentActivities.remember_incident,
                report,
                summary=summary,
                **options.REMEMBER_LOCALLY,
            )
        else:
            await workflow.execute_activity_method(
                IncidentActivities.remember_incident, report, summary=summary, **options.REMEMBER
            )
    except ActivityError as error:
        workflow.logger.error("incident_not_remembered", extra={"reason": format_cause(error)})
