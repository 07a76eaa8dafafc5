"""The coordinator: opens the case with a triage, and closes it with a review."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm

from agents.role import Tally, agent
from trimtab.contracts.deliberation import ReviewReply, TriageReply


def coordinator(model: BaseLlm, *, tally: Tally) -> LlmAgent:
    """Says how grave it looks, what to look at and what to find out."""
    return agent(
        "coordinator_triage",
        model=model,
        page=("coordinator", "Triage"),
        tally=tally,
        output_schema=TriageReply,
    )


def reviewer(model: BaseLlm, *, tally: Tally) -> LlmAgent:
    """Agrees or not with cause and plan, against the evidence."""
    return agent(
        "coordinator_review",
        model=model,
        page=("coordinator", "Review"),
        tally=tally,
        output_schema=ReviewReply,
    )
