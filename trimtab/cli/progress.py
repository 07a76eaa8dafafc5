"""Shows what a command is doing once it has taken longer than a second."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a tenth of a second to import, and only a terminal needs it
    from rich.console import Console
    from rich.status import Status

PATIENCE_SECONDS: Final = 1.0
"""How long nothing is shown."""


@contextmanager
def show_progress_when_slow(doing: str = "") -> Iterator[Callable[[str], None]]:
    """Yield a function that takes what is being done now.

    It is shown on standard error, on a terminal only, and removed at the end.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - see TYPE_CHECKING

    progress = _Progress(Console(stderr=True), doing)
    timer = Timer(PATIENCE_SECONDS, progress.show)
    timer.daemon = True
    timer.start()
    try:
        yield progress.replace
    finally:
        timer.cancel()
        progress.end()


class _Progress:
    def __init__(self, console: "Console", doing: str) -> None:
        self._console = console
        self._doing = doing
        self._status: Status | None = None
        self._has_ended = False
        self._lock = Lock()

    def replace(self, doing: str) -> None:
        """Replace what is being done."""
        with self._lock:
            self._doing = doing
            if self._status is not None:
                self._status.update(doing)

    def show(self) -> None:
        """Show it from now on."""
        with self._lock:
            if not self._has_ended:
                self._status = self._console.status(self._doing)
                self._status.start()

    def end(self) -> None:
        """Remove it."""
        with self._lock:
            self._has_ended = True
            if self._status is not None:
                self._status.stop()
