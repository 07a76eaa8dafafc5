"""Waiting longer after each failure in a row."""

import asyncio
import random
from typing import Final

FIRST: Final = 0.2
MOST: Final = 15.0


class Backoff:
    """Seconds to wait: doubling from 0.2 to 15, each shortened by chance by up to a half."""

    def __init__(self) -> None:
        self._next = FIRST

    def reset(self) -> None:
        """Something worked: begin anew."""
        self._next = FIRST

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait, or return at once when told to stop."""
        delay, self._next = self._next, min(MOST, self._next * 2)
        try:
            async with asyncio.timeout(delay * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter
                await stop.wait()
        except TimeoutError:
            return
