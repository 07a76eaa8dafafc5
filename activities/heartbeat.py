"""Heartbeats to Temporal during long work, and passes a cancellation on to it."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from temporalio import activity

_Result = TypeVar("_Result")

_HEARTBEATS_PER_TIMEOUT: Final = 3


async def run_with_heartbeat(work: Awaitable[_Result]) -> _Result:
    """Return the work's result, with heartbeats until it is there.

    Temporal reports a cancellation only in answer to a heartbeat. It is raised here at `await`, and
    so cancels the work.
    """
    heartbeat = asyncio.create_task(_send_heartbeats())
    try:
        return await work
    finally:
        heartbeat.cancel()


async def _send_heartbeats() -> None:
    timeout = activity.info().heartbeat_timeout
    while timeout:
        activity.heartbeat()
        await asyncio.sleep(timeout.total_seconds() / _HEARTBEATS_PER_TIMEOUT)
