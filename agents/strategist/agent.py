"""The strategist, which considers what can be done about the cause and recommends one action."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.role import UsageTally, build_answering_agent
from trimtab.contracts.deliberation import PlanReply


def build_plan_agent(model: BaseLlm, *, tally: UsageTally) -> LlmAgent:
    """Return the agent that recommends one action and names the other possible ones."""
    return build_answering_agent(
        "strategist",
        model=model,
        page=("strategist", "Plan"),
        tally=tally,
        schema=PlanReply,
    )
