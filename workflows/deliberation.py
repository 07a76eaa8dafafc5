"""The agents' part of an incident: short-lived, and the only workflow that knows ADK.

Whatever goes wrong in it ends it: the incident that waits for it escalates, and nothing hangs.
"""

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from agents.team import deliberate
    from trimtab.contracts import names
    from trimtab.contracts.deliberation import Deliberation, DeliberationInput
    from trimtab.contracts.validation_errors import format_validation_errors
    from workflows.options import ASK, LOOK

FAILED = "DeliberationFailed"
"""Error type of a deliberation that came to no conclusion."""
_MESSAGE_LENGTH = 500


@workflow.defn(name=names.DELIBERATION)
class DeliberationWorkflow:
    """Coordinator, investigator, strategist and the coordinator's review over one case."""

    @workflow.run
    async def run(self, data: DeliberationInput) -> Deliberation:
        """What the agents conclude; fails with `DeliberationFailed` when they do not."""
        try:
            return await deliberate(
                data, asking={**ASK, "start_to_close_timeout": data.call_timeout}, looking=LOOK
            )
        except Exception as error:
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(_reason(error), type=FAILED, non_retryable=True) from error


def _reason(error: BaseException) -> str:
    """The first thing that went wrong, in one line."""
    if isinstance(error, ActivityError) and error.cause is not None:
        error = error.cause
    if isinstance(error, ValidationError):
        text = "; ".join(format_validation_errors(error, whole="reply", max_value_length=0))
        return f"the reply is not a {error.title}: {text}"[:_MESSAGE_LENGTH]
    return f"{type(error).__name__}: {error}"[:_MESSAGE_LENGTH]
