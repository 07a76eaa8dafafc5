"""Shows that something is going on once it has taken longer than a second."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

PATIENCE: Final = 1.0
"""Seconds during which nothing is shown."""


@contextmanager
def told_when_slow(console: "Console") -> Iterator[Callable[[str], None]]:
    """What it yields is told what is going on; shown on a terminal only, and taken away again."""
    progress = _Progress(console)
    timer = Timer(PATIENCE, progress.show)
    timer.daemon = True
    if console.is_terminal:
        timer.start()
    try:
        yield progress.say
    finally:
        timer.cancel()
        progress.end()


class _Progress:
    def __init__(self, console: "Console") -> None:
        self._console = console
        self._doing = ""
        self._status: Status | None = None
        self._ended = False
        self._turn = Lock()

    def say(self, doing: str) -> None:
        """What is going on from now on."""
        with self._turn:
            self._doing = doing
            if self._status is not None:
                self._status.update(doing)

    def show(self) -> None:
        """From now on it can be seen."""
        with self._turn:
            if not self._ended:
                self._status = self._console.status(self._doing)
                self._status.start()

    def end(self) -> None:
        """Take it away."""
        with self._turn:
            self._ended = True
            if self._status is not None:
                self._status.stop()
