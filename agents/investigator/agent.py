"""The investigator, which first gathers evidence with tools and then names the cause without them.

They are two agents, because a schema for the answer together with tools can make a model loop.
"""

from collections.abc import Callable
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.investigator.tool_budget import ToolBudget
from agents.role import UsageTally, build_answering_agent, build_shared_settings
from trimtab.contracts.deliberation import RootCauseReply


def build_gathering_agent(
    model: BaseLlm, *, tally: UsageTally, tools: list[Callable[..., Any]], budget: ToolBudget
) -> LlmAgent:
    """Return the agent that calls tools; only what its tools find counts, not its words."""
    return LlmAgent(
        name="investigator_look",
        model=model,
        tools=list(tools),
        after_model_callback=[tally.count, budget.note_words],
        before_tool_callback=budget.check_call,
        after_tool_callback=budget.keep_result,
        on_tool_error_callback=budget.excuse_error,
        **build_shared_settings(("investigator", "Look closer")),
    )


def build_cause_agent(model: BaseLlm, *, tally: UsageTally) -> LlmAgent:
    """Return the agent that names the root cause."""
    return build_answering_agent(
        "investigator_cause",
        model=model,
        page=("investigator", "Name the root cause"),
        tally=tally,
        schema=RootCauseReply,
    )
