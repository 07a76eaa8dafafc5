"""Looks for incidents whose workflow is gone; a Temporal Schedule starts it every minute or so."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.sweep import SweepActivities
    from policies.notices import build_stuck_notice
    from trimtab.contracts import names
    from trimtab.contracts.settlement import SweepReport
    from workflows import options
    from workflows.notices import tell_people


@workflow.defn(name=names.SWEEP)
class SweepWorkflow:
    """One run of the schedule `sweep/incidents`."""

    @workflow.run
    async def run(self) -> SweepReport:
        """Close what was abandoned, and return what was found."""
        report = await workflow.execute_activity_method(
            SweepActivities.sweep_incidents,
            summary="Close incidents whose workflow is gone",
            **options.CLOSE_ABANDONED,
        )
        details = [f"Open incidents: {report.open_chains}.", *map(str, report.abandoned)]
        workflow.set_current_details("\n".join(f"- {each}" for each in details))
        for each in report.abandoned:
            await tell_people(build_stuck_notice(each, at=workflow.now()))
        return report
