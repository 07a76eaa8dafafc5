"""The strategist: weighs what could be done about the cause, and recommends one action."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.role import Tally, agent
from trimtab.contracts.deliberation import PlanReply


def strategist(model: BaseLlm, *, tally: Tally) -> LlmAgent:
    """Recommends one action, with what else could be done."""
    return agent(
        "strategist",
        model=model,
        page=("strategist", "Plan"),
        tally=tally,
        output_schema=PlanReply,
    )
