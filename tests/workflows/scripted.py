"""A deliberation that follows a script: the analyst's name says what it concludes."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from tests.builders import a_deliberation, a_plan, a_root_cause
    from trimtab.contracts.deliberation import Cause, Deliberation, DeliberationInput, Triage
    from trimtab.contracts.drift import Severity
    from trimtab.contracts.evidence import Citation
    from trimtab.contracts.remediation import Action


@workflow.defn(name="DeliberationWorkflow")
class ScriptedDeliberation:
    """Stands in for the agents: "script/monitor", "script/roll_back", "script/fail", "script/wait"
    for ever; any other name retrains.
    """

    @workflow.run
    async def run(self, data: DeliberationInput) -> Deliberation:
        """The scripted conclusion."""
        if data.analyst == "script/fail":
            msg = "the model talks nonsense"
            raise ApplicationError(msg, type="DeliberationFailed", non_retryable=True)
        if data.analyst == "script/wait":
            await workflow.wait_condition(lambda: False)
        if data.analyst == "script/monitor":
            return _find_harmless(data)
        if data.analyst == "script/roll_back":
            return _blame_release(data)
        plan = a_plan(event_id=data.event.id)
        return a_deliberation(plan=plan, analyst=data.analyst)


def _blame_release(data: DeliberationInput) -> Deliberation:
    """Return a champion from version 2 to version 1, which was champion before it."""
    quotes = (
        Citation(evidence_id="metric:version-1", quote="has r2 0.920"),
        Citation(evidence_id="metric:version-2", quote="has r2 0.780"),
    )
    plan = a_plan(
        event_id=data.event.id,
        action=Action.ROLL_BACK,
        cause=Cause.BAD_RELEASE,
        champion_version="2",
        target_version="1",
        citations=quotes,
        cost=1,
    )
    return a_deliberation(
        root_cause=a_root_cause(
            cause=Cause.BAD_RELEASE,
            hypotheses=((Cause.BAD_RELEASE, 0.9), (Cause.UNKNOWN, 0.1)),
            citations=quotes,
        ),
        plan=plan,
        analyst=data.analyst,
    )


def _find_harmless(data: DeliberationInput) -> Deliberation:
    quotes = (
        Citation(evidence_id="drift:Occupancy", quote="PSI 0.310"),
        Citation(evidence_id="performance:champion", quote="within tolerance"),
    )
    plan = a_plan(event_id=data.event.id, action=Action.MONITOR, cause=Cause.HARMLESS, cost=0)
    return a_deliberation(
        triage=Triage(severity=Severity.MEDIUM, focus=("Occupancy",), question="Does it hurt?"),
        root_cause=a_root_cause(
            cause=Cause.HARMLESS,
            hypotheses=((Cause.HARMLESS, 0.8), (Cause.UNKNOWN, 0.2)),
            citations=quotes,
        ),
        plan=plan,
        analyst=data.analyst,
    )
