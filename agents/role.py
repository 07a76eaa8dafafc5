"""Settings that every agent shares: one question, one answer, no memory, no other agent to ask."""

from typing import Any, Final

from google.adk.agents import LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.models import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.genai.types import GenerateContentConfig

from agents.instruction import read_instruction
from trimtab.contracts.base import Reply
from trimtab.contracts.deliberation import Usage

MAX_OUTPUT_TOKENS: Final = 8192
"""Tokens of the longest answer, a model's hidden reasoning included."""


class UsageTally:
    """Counts calls and tokens of one deliberation, failed answers included."""

    def __init__(self) -> None:
        self.usage = Usage()

    def count(
        self,
        callback_context: CallbackContext,  # noqa: ARG002 - ADK passes it by name
        llm_response: LlmResponse,
    ) -> None:
        """Add one model call; ADK calls this after each of them."""
        used = llm_response.usage_metadata
        input_tokens = (used and used.prompt_token_count) or 0
        output_tokens = (used and used.candidates_token_count) or 0
        self.usage = self.usage.model_copy(
            update={
                "calls": self.usage.calls + 1,
                "input_tokens": self.usage.input_tokens + input_tokens,
                "output_tokens": self.usage.output_tokens + output_tokens,
            }
        )


def build_answering_agent(
    name: str, *, model: BaseLlm, page: tuple[str, str], tally: UsageTally, schema: type[Reply]
) -> LlmAgent:
    """Return an agent without tools that answers in a schema.

    Its instruction is the section page[1] of the role page[0].
    """
    return LlmAgent(
        name=name,
        model=model,
        output_schema=schema,
        after_model_callback=tally.count,
        **build_shared_settings(page),
    )


def build_shared_settings(page: tuple[str, str]) -> dict[str, Any]:
    """Return the settings of every agent, with the section page[1] of the role page[0]."""
    return {
        "static_instruction": read_instruction(*page),
        "mode": "single_turn",
        "include_contents": "none",
        "disallow_transfer_to_parent": True,
        "disallow_transfer_to_peers": True,
        "generate_content_config": GenerateContentConfig(
            temperature=0.0, max_output_tokens=MAX_OUTPUT_TOKENS
        ),
    }
