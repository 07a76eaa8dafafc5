"""Keeps a process running: started again when it ends by itself, more slowly each time."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NoReturn

from trimtab.runtime.embedded.children import Child
from trimtab.runtime.embedded.servers import StackError

BAD_CONFIGURATION: Final = 2
"""Exit code of our front doors for what no new start mends."""
_FIRST_DELAY: Final = 1.0
_MOST_DELAY: Final = 30.0
_HEALTHY: Final = 60.0
"""Seconds of running after which earlier failures are forgotten."""
_MOST_FAILURES: Final = 6


async def keep_running(
    start: Callable[[], Child],
    *,
    tell: Callable[[str], None],
    first_delay: float = _FIRST_DELAY,
    most_failures: int = _MOST_FAILURES,
) -> NoReturn:
    """Start, and start again whenever it ends; until cancelled.

    Args:
        start: Starts the process.
        tell: Is told of every end and what follows.
        first_delay: Seconds before the first new start; doubles up to 30 with each in a row.
        most_failures: How many ends in a row, none after a minute's running, are too many.

    Raises:
        StackError: It ended for good; the message has its last lines.
    """
    failures = 0
    while True:
        began = time.monotonic()
        child = start()
        code = await child.wait()
        failures = 1 if time.monotonic() - began > _HEALTHY else failures + 1
        if code == BAD_CONFIGURATION or failures >= most_failures:
            raise StackError(child.obituary())
        delay = min(_MOST_DELAY, first_delay * 2 ** (failures - 1))
        tell(f"{child.name} ended with code {code}: starting it again in {delay:g} s ({child.log})")
        await asyncio.sleep(delay)
