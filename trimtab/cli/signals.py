"""Stops work when a signal asks for it, and leaves nothing of it running."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from trimtab.cli.errors import InterruptionError

_T = TypeVar("_T")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_signal(work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of the work; raise `InterruptionError` once a signal has stopped it."""
    running = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def cancel_work(number: signal.Signals) -> None:
        received.append(number)
        running.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, cancel_work, number)
    try:
        return await running
    except asyncio.CancelledError:
        if not received:
            raise
        raise InterruptionError(received[0]) from None
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
