"""One way to build every agent: one question, one answer, nothing remembered, nobody to ask."""

from typing import Any, Final

from google.adk.agents import LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.models import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.genai.types import GenerateContentConfig

from agents.instruction import instruction
from trimtab.contracts.deliberation import Usage

MOST_TOKENS: Final = 8192
"""Longest answer that is asked for, a model's silent thoughts included."""


class Tally:
    """Counts what the model calls of one deliberation used, failed answers included."""

    def __init__(self) -> None:
        self.usage = Usage()

    def count(
        self,
        callback_context: CallbackContext,  # noqa: ARG002 - ADK passes it by name
        llm_response: LlmResponse,
    ) -> None:
        """Called by ADK after each model call."""
        used = llm_response.usage_metadata
        self.usage = self.usage.model_copy(
            update={
                "calls": self.usage.calls + 1,
                "input_tokens": self.usage.input_tokens + ((used and used.prompt_token_count) or 0),
                "output_tokens": self.usage.output_tokens
                + ((used and used.candidates_token_count) or 0),
            }
        )


def agent(
    name: str,
    *,
    model: BaseLlm,
    page: tuple[str, str],
    tally: Tally,
    **more: Any,  # noqa: ANN401 - ADK's own options
) -> LlmAgent:
    """An ADK agent whose instruction is the section page[1] of role page[0]."""
    more.setdefault("after_model_callback", tally.count)
    return LlmAgent(
        name=name,
        model=model,
        static_instruction=instruction(*page),
        mode="single_turn",
        include_contents="none",
        disallow_transfer_to_parent=True,
        disallow_transfer_to_peers=True,
        generate_content_config=GenerateContentConfig(
            temperature=0.0, max_output_tokens=MOST_TOKENS
        ),
        **more,
    )
