"""The agents' part of an incident: short-lived, and the only workflow that imports ADK.

Whatever goes wrong in it ends it. The incident that waits for it then escalates, and nothing hangs.
"""

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from agents.team import deliberate
    from trimtab.contracts import names
    from trimtab.contracts.deliberation import Deliberation, DeliberationInput
    from trimtab.contracts.validation_errors import format_validation_errors
    from workflows.options import ANSWER_BY_RULES, CALL_MODEL, USE_TOOL

FAILED = "DeliberationFailed"
"""Error type of a deliberation without a conclusion."""
_MAX_MESSAGE_LENGTH = 500


@workflow.defn(name=names.DELIBERATION)
class DeliberationWorkflow:
    """Coordinator, investigator, strategist and the coordinator's review over one case."""

    @workflow.run
    async def run(self, data: DeliberationInput) -> Deliberation:
        """Return the agents' conclusions; fail with `DeliberationFailed` if there are none."""
        try:
            return await deliberate(
                data,
                model_options={**CALL_MODEL, "start_to_close_timeout": data.call_timeout},
                tool_options=USE_TOOL,
                rules_options=ANSWER_BY_RULES if data.rules_answer_locally else None,
            )
        except Exception as error:
            # Everything is caught: an error of ADK that is not a Temporal failure would make the
            # server retry this workflow task forever, while the incident waits for its timeout.
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(_format_error(error), type=FAILED, non_retryable=True) from error


def _format_error(error: BaseException) -> str:
    """Return the first thing that went wrong, in one line."""
    if isinstance(error, ActivityError) and error.cause is not None:
        error = error.cause
    if isinstance(error, ValidationError):
        faults = "; ".join(format_validation_errors(error, whole="reply", max_value_length=0))
        return f"the reply is not a {error.title}: {faults}"[:_MAX_MESSAGE_LENGTH]
    return f"{type(error).__name__}: {error}"[:_MAX_MESSAGE_LENGTH]
