"""Looks for incidents whose workflow is gone; a Temporal Schedule starts it every minute or so."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.remediation import RemediationActivities
    from activities.sweep import SweepActivities
    from policies.notices import build_stuck_notice, escape_markdown
    from trimtab.contracts import names
    from trimtab.contracts.remediation import ActionOrder
    from trimtab.contracts.settlement import SweepReport
    from workflows import options
    from workflows.failure import format_cause
    from workflows.notices import tell_people


@workflow.defn(name=names.SWEEP)
class SweepWorkflow:
    """One run of the schedule `sweep/incidents`."""

    @workflow.run
    async def run(self) -> SweepReport:
        """Restore champions, close what was abandoned, and return what was found."""
        report = await workflow.execute_activity_method(
            SweepActivities.sweep_incidents,
            summary="Close incidents whose workflow is gone",
            **options.CLOSE_ABANDONED,
        )
        abandoned = (escape_markdown(f"{each}") for each in report.abandoned)
        details = [f"Open incidents: {report.open_chains}.", *abandoned]
        workflow.set_current_details("\n".join(f"- {each}" for each in details))
        for order in report.restorations:
            await _restore_champion(order)
        for each in report.abandoned:
            await tell_people(build_stuck_notice(each, at=workflow.now()))
        return report


async def _restore_champion(order: ActionOrder) -> None:
    """Undo an abandoned incident's change; the next sweep reads in the registry whether it worked.

    The activity is the remediation's own. It asks for the incident's own grant, and refuses if
    somebody else has moved the champion since, or if the change was verified after all.
    """
    try:
        await workflow.execute_activity_method(
            RemediationActivities.undo,
            order,
            summary=f"Make version {order.champion_version} of {order.spec.name} champion again",
            **options.RESTORE,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.error("champion_not_restored", extra={"reason": format_cause(error)})
