"""Tells what is going on while it takes long: a live bar in a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text


class Narrator:
    """One line of progress; a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = console.is_terminal
        self._said = ""
        self._progress = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._progress.add_task("", total=None)

    def say(self, what: str) -> None:
        """Replace the line; the same words again are not repeated."""
        if what == self._said:
            return
        self._said = what
        self._progress.update(self._task, description=what)
        if not self._live:
            self.console.print(Text(what, style="dim"))

    def expect(self, total: int) -> None:
        """How many windows there are."""
        self._progress.update(self._task, total=total, completed=0)

    def advance(self) -> None:
        """One window is done."""
        self._progress.advance(self._task)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
