"""Asks the policy: an activity so that each answer stands in the history."""

from temporalio import activity

from policies.decision import decide
from trimtab.contracts.decision import Decision, PolicyQuestion


@activity.defn
def check_policy(question: PolicyQuestion) -> Decision:
    """The policy's verdict; pure, nothing is read but the question."""
    return decide(question.plan, question.facts, question.limits, now=question.now)
