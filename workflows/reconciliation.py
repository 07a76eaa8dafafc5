"""Holds the audit log against registry and Temporal; a Temporal Schedule starts it every hour."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.reconciliation import ReconciliationActivities
    from policies.notices import build_discrepancy_notice, escape_markdown
    from trimtab.contracts import names
    from trimtab.contracts.reconciliation import ReconciliationReport
    from workflows import options
    from workflows.notices import tell_people


@workflow.defn(name=names.RECONCILIATION)
class ReconciliationWorkflow:
    """One run of the schedule `reconciliation/log`."""

    @workflow.run
    async def run(self) -> ReconciliationReport:
        """Tell people of new faults, and once a day of all of them; return what was found.

        The activity is a local one, so that nobody else can answer for it. The run before may have
        failed to tell anybody, or may be somebody's invention: the next day corrects that.
        """
        report = await workflow.execute_local_activity_method(
            ReconciliationActivities.reconcile_log,
            summary="Compare the audit log with the registry and Temporal",
            **options.RECONCILE,
        )
        shown = [f"- {escape_markdown(f'{each}')}" for each in report.discrepancies]
        shown = shown or ["Nothing disagrees."]
        workflow.set_current_details("\n".join([f"Audit chains: {report.chains}.", "", *shown]))
        known = workflow.get_last_completion_result(ReconciliationReport)
        told = known.faults if known and known.at.date() == report.at.date() else ()
        new = [each for each in report.faults if each not in told]
        if new:
            await tell_people(build_discrepancy_notice(new, at=workflow.now()))
        return report
