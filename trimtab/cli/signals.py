"""Ends what runs when a person or the system says so, and leaves nothing of it behind."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):  # noqa: N818 - says what happened
    """A signal ended the work, and everything that was started has been ended."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(f"by {number.name}")
        self.code = 128 + number
        """The exit code that a shell would give."""


async def until_told(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; raises `Interrupted` once a signal has ended it."""
    running = asyncio.ensure_future(work)
    told: list[signal.Signals] = []

    def tell(number: signal.Signals) -> None:
        told.append(number)
        running.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, tell, number)
    try:
        return await running
    except asyncio.CancelledError:
        if not told:
            raise
        raise Interrupted(told[0]) from None
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
