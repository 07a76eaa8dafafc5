"""Asks the policy. It is an activity so that every answer is recorded in the history."""

from temporalio import activity

from policies.decision import decide
from trimtab.contracts.decision import Decision, PolicyQuestion


@activity.defn
def check_policy(question: PolicyQuestion) -> Decision:
    """Return the policy's verdict; it depends on nothing but the question."""
    return decide(question)
