"""Keeps a process running: starts it again whenever it ends, more slowly each time."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NoReturn

from trimtab.runtime.embedded.children import ChildProcess
from trimtab.runtime.errors import StackError

EXIT_BAD_CONFIGURATION: Final = 2
"""Exit code of our front doors for an error that no restart corrects."""
_FIRST_DELAY_SECONDS: Final = 1.0
_MAX_DELAY_SECONDS: Final = 30.0
_HEALTHY_SECONDS: Final = 60.0
"""Running time after which earlier failures are forgotten."""
_MAX_FAILURES: Final = 6


async def keep_running(
    start: Callable[[], ChildProcess],
    *,
    report: Callable[[str], None],
    first_delay: float = _FIRST_DELAY_SECONDS,
    max_failures: int = _MAX_FAILURES,
) -> NoReturn:
    """Start a process, and start it again whenever it ends, until cancelled.

    Args:
        start: Starts the process.
        report: Is called with a sentence for each end and the restart that follows.
        first_delay: Seconds before the first restart; doubles up to 30 with each in a row.
        max_failures: Number of ends in a row, each within a minute, after which it gives up.

    Raises:
        StackError: It ended for good; the message has its last lines.
    """
    failures = 0
    while True:
        began = time.monotonic()
        child = start()
        code = await child.wait()
        failures = 1 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
        if code == EXIT_BAD_CONFIGURATION or failures >= max_failures:
            raise StackError(child.format_exit_report())
        delay = min(_MAX_DELAY_SECONDS, first_delay * 2 ** (failures - 1))
        report(
            f"{child.name} ended with code {code}: starting it again in {delay:g} s ({child.log})"
        )
        await asyncio.sleep(delay)
