"""Asks the policy about a plan, so that the history keeps every answer."""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.decision import check_policy
    from trimtab.contracts.decision import Decision, PolicyQuestion
    from workflows import options

LOCAL_PATCH: Final = "decide-locally"
"""Since then the policy answers in the worker that runs the workflow: it is a pure function, and a
task for it costs the server more than the answer. It stands for the patch before it too."""


async def ask_policy(question: PolicyQuestion, *, locally: bool) -> Decision:
    """Return the policy's verdict."""
    summary = f"may {question.plan.action} be executed?"
    if locally:
        return await workflow.execute_local_activity(
            check_policy, question, summary=summary, **options.DECIDE_LOCALLY
        )
    return await workflow.execute_activity(
        check_policy, question, summary=summary, **options.DECIDE
    )
