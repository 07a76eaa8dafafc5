"""A model call as an activity that reports its own cancellation in a form that ADK understands.

Temporal reports a cancelled activity as `ActivityError`. ADK would treat that as a failure like any
other: it would report it to a listener that has gone, and wait for it forever.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, cast

from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from pydantic import PrivateAttr
from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.google_adk import TemporalModel
from temporalio.workflow import ActivityConfig
from typing_extensions import override

CALL: Final = "invoke_model"
"""Name of the plugin's activity that calls a model."""


class ModelCall(TemporalModel):
    """Calls a model by name; each call is an activity with the given options and summary.

    With `local_options` it is a local activity: for a model that computes its answers itself.
    """

    _local_options: dict[str, Any] | None = PrivateAttr(default=None)

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        summary: str,
        local_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, cast("ActivityConfig", {**options, "summary": summary}))
        if local_options is not None:
            self._local_options = {**local_options, "summary": summary}

    @override
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Yield the model's answer; raise `ActivityError`, or `CancelledError` if cancelled."""
        try:
            if self._local_options is not None and workflow.in_workflow():
                for response in await _call_locally(llm_request, self._local_options):
                    yield response
                return
            async for response in super().generate_content_async(llm_request, stream):
                yield response
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise


async def _call_locally(llm_request: LlmRequest, options: Mapping[str, Any]) -> list[LlmResponse]:
    """Return the model's answers without a task of the server's.

    The request goes without its schema, a Python class that has no wire form: what is called
    locally knows it.
    """
    config = llm_request.config.model_copy(update={"response_schema": None})
    responses: list[LlmResponse] = await workflow.execute_local_activity(
        CALL,
        llm_request.model_copy(update={"config": config}),
        result_type=list[LlmResponse],
        **options,
    )
    return responses
