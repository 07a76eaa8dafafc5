"""A deliberation that follows a script: the analyst's name says what it concludes."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from tests.builders import a_deliberation, a_plan
    from trimtab.contracts.deliberation import Deliberation, DeliberationInput
    from trimtab.contracts.remediation import Action


@workflow.defn(name="DeliberationWorkflow")
class ScriptedDeliberation:
    """Stands in for the agents: "script/monitor", "script/fail", "script/wait" for ever; any other
    name retrains.
    """

    @workflow.run
    async def run(self, data: DeliberationInput) -> Deliberation:
        """The scripted conclusion."""
        if data.analyst == "script/fail":
            msg = "the model talks nonsense"
            raise ApplicationError(msg, type="DeliberationFailed", non_retryable=True)
        if data.analyst == "script/wait":
            await workflow.wait_condition(lambda: False)
        action = Action.MONITOR if data.analyst == "script/monitor" else Action.RETRAIN
        plan = a_plan(event_id=data.event.id, action=action)
        return a_deliberation(plan=plan, analyst=data.analyst)
