"""Tells Temporal that long work is still going on, and passes a cancellation on to it."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from temporalio import activity

Result = TypeVar("Result")

_BEATS: Final = 3
"""Heartbeats within one heartbeat timeout."""


async def beating(work: Awaitable[Result]) -> Result:
    """What the work gives; heartbeats while it lasts, and cancels it when told to."""
    beat = asyncio.create_task(_beat())
    try:
        return await work
    finally:
        beat.cancel()


async def _beat() -> None:
    timeout = activity.info().heartbeat_timeout
    while timeout:
        activity.heartbeat()
        await asyncio.sleep(timeout.total_seconds() / _BEATS)
