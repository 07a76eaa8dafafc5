"""Handles the cancellation of a workflow.

A cancellation reaches workflow code as `asyncio.CancelledError` at whichever `await` is pending,
or as the failure of the activity or child workflow that it cancelled there. It arrives once: what
is awaited afterwards runs normally.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow

_Result = TypeVar("_Result")


def is_cancellation_requested() -> bool:
    """Return whether somebody has requested the workflow's cancellation."""
    return workflow.cancellation_reason() is not None


def format_cancellation() -> str:
    """Return the cancellation in one line, with its reason if one was given."""
    return f"cancelled: {workflow.cancellation_reason() or 'no reason was given'}"


async def complete_despite_cancellation(step: Coroutine[Any, Any, _Result]) -> _Result:
    """Return the step's result, even if the workflow is cancelled while it runs."""
    running = asyncio.ensure_future(step)
    try:
        # Only the shield is cancelled, and the step goes on. It is then awaited without a shield,
        # because a cancellation does not come twice.
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        return await running
