"""A model call as an activity that reports its own cancellation in a form that ADK understands.

Temporal reports a cancelled activity as `ActivityError`. ADK would treat that as a failure like any
other: it would report it to a listener that has gone, and wait for it forever.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.google_adk import TemporalModel
from temporalio.workflow import ActivityConfig
from typing_extensions import override


class ModelCall(TemporalModel):
    """Calls a model by name; each call is an activity with the given options and summary."""

    def __init__(self, name: str, options: Mapping[str, Any], *, summary: str) -> None:
        super().__init__(name, cast("ActivityConfig", {**options, "summary": summary}))

    @override
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Yield the model's answer; raise `ActivityError`, or `CancelledError` if cancelled."""
        try:
            async for response in super().generate_content_async(llm_request, stream):
                yield response
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise
