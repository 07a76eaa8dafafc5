"""A model call as an activity that, when it is cancelled, says so in the words ADK understands.

Temporal reports a cancelled activity as `ActivityError`. To ADK that is a failure like any other:
it would tell a listener that has gone, and wait for it for ever.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.google_adk import TemporalModel
from temporalio.workflow import ActivityConfig


class ModelCall(TemporalModel):
    """Calls a model by name, each call an activity with these options and this summary."""

    def __init__(self, name: str, options: Mapping[str, Any], *, summary: str) -> None:
        super().__init__(name, cast("ActivityConfig", {**options, "summary": summary}))

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the base class's signature
    ) -> AsyncGenerator[LlmResponse, None]:
        """The model's answer; raises `ActivityError`, or `CancelledError` when cancelled."""
        try:
            async for response in super().generate_content_async(llm_request, stream):
                yield response
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise
