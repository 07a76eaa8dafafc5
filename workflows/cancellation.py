"""What becomes of a workflow that somebody cancels."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow

Result = TypeVar("Result")


def is_requested() -> bool:
    """Whether somebody asked for the workflow's cancellation."""
    return workflow.cancellation_reason() is not None


def told() -> str:
    """The cancellation in one line, with the reason where one was given."""
    return f"cancelled: {workflow.cancellation_reason() or 'no reason was given'}"


async def finished(step: Coroutine[Any, Any, Result]) -> Result:
    """The step's result, whatever is cancelled meanwhile: it is too late for that."""
    running = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        return await running
