"""Waits for what a process needs and is not up yet, and says so in one line every few seconds."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from trimtab.contracts.ports import Unavailable

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)
RETRY_SECONDS: Final = 1.0
"""Time between two attempts."""
REPORT_SECONDS: Final = 5.0
"""Time between two lines about the same thing."""
_MAX_LENGTH: Final = 300


class StoppedError(Exception):
    """The process was asked to end while it waited."""


async def wait_until_ready(
    thing: str,
    attempt: Callable[[], Awaitable[_T]],
    *,
    stop: asyncio.Event,
    retry: float = RETRY_SECONDS,
    report: float = REPORT_SECONDS,
) -> _T:
    """Return what `attempt` returns, once it no longer raises `Unavailable`.

    Args:
        thing: What is waited for, as the log names it.
        attempt: Reaches the thing; raises `Unavailable` with a remedy while that is not up.
        stop: Set when the process is asked to end.
        retry: Seconds between two attempts.
        report: Seconds between two log lines.

    Raises:
        StoppedError: `stop` was set first.
    """
    reported: float | None = None
    while not stop.is_set():
        try:
            found = await attempt()
        except Unavailable as error:
            now = time.monotonic()
            if reported is None or now - reported >= report:
                reported = now
                line = " ".join(str(error).split())[:_MAX_LENGTH]
                _log.warning("waiting", thing=thing, reason=line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(retry):
                    await stop.wait()
        else:
            if reported is not None:
                _log.info("ready", thing=thing)
            return found
    raise StoppedError(thing)
