"""The coordinator, which opens the case with a triage and closes it with a review."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.role import UsageTally, build_answering_agent
from trimtab.contracts.deliberation import ReviewReply, TriageReply


def build_triage_agent(model: BaseLlm, *, tally: UsageTally) -> LlmAgent:
    """Return the agent that says how severe the drift looks, and what to find out."""
    return build_answering_agent(
        "coordinator_triage",
        model=model,
        page=("coordinator", "Triage"),
        tally=tally,
        schema=TriageReply,
    )


def build_review_agent(model: BaseLlm, *, tally: UsageTally) -> LlmAgent:
    """Return the agent that checks cause and plan against the evidence."""
    return build_answering_agent(
        "coordinator_review",
        model=model,
        page=("coordinator", "Review"),
        tally=tally,
        schema=ReviewReply,
    )
