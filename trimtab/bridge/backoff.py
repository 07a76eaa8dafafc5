"""Waits longer after each failure in a row."""

import asyncio
import random
from typing import Final

FIRST_SECONDS: Final = 0.2
MAX_SECONDS: Final = 15.0
_JITTER: Final = random.SystemRandom()


class Backoff:
    """Delays that double from 0.2 to 15 seconds, each shortened at random by up to a half."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def reset(self) -> None:
        """Start again with the shortest delay."""
        self._next = FIRST_SECONDS

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait for the next delay, or until the event is set."""
        delay, self._next = self._next, min(MAX_SECONDS, self._next * 2)
        try:
            async with asyncio.timeout(delay * _JITTER.uniform(0.5, 1.0)):
                await stop.wait()
        except TimeoutError:
            return
