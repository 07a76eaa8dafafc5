"""The investigator: gathers with tools, then names the root cause without them."""

from collections.abc import Callable
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.investigator.tool_budget import Looks
from agents.role import Tally, agent
from trimtab.contracts.deliberation import RootCauseReply


def gatherer(
    model: BaseLlm, *, tally: Tally, tools: list[Callable[..., Any]], looks: Looks
) -> LlmAgent:
    """Looks closer; its words do not count, only what its tools find."""
    return agent(
        "investigator_look",
        model=model,
        page=("investigator", "Look closer"),
        tally=tally,
        tools=list(tools),
        after_model_callback=[tally.count, looks.heard],
        before_tool_callback=looks.before,
        after_tool_callback=looks.after,
        on_tool_error_callback=looks.excuse,
    )


def investigator(model: BaseLlm, *, tally: Tally) -> LlmAgent:
    """Names the root cause, in the schema's terms."""
    return agent(
        "investigator_cause",
        model=model,
        page=("investigator", "Name the root cause"),
        tally=tally,
        output_schema=RootCauseReply,
    )
