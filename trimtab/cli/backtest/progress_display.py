"""Shows how far a long command is: a line with a clock on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
)
from rich.table import Column
from rich.text import Text

HEARTBEAT_SECONDS: Final = 15.0
"""How often a plain line says that a step is still going on."""
_SHOW_STEP_CLOCK_FROM: Final = 3.0
"""Seconds that a step must take before its own clock is shown."""
_POLL_SECONDS: Final = 0.2
_BAR_WIDTH: Final = 12


class ProgressDisplay:
    """One line of progress; a context manager."""

    def __init__(
        self,
        console: Console,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console = console
        self._clock = clock
        self._heartbeat = heartbeat
        self._is_live = console.is_terminal
        self._began = self._step_began = self._last_line = clock()
        self._doing = ""
        self._ended = Event()
        self._progress = Progress(
            SpinnerColumn(),
            _ClockColumn(self._format_elapsed, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=_BAR_WIDTH, table_column=Column(min_width=_BAR_WIDTH)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            _DescriptionColumn(),
            _ClockColumn(self._format_step, table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
            disable=not self._is_live,
        )
        self._task = self._progress.add_task("", total=None)

    def show(self, doing: str) -> None:
        """Replace what is being done now; the same words again change nothing."""
        if doing == self._doing:
            return
        self._doing, self._step_began = doing, self._clock()
        self._progress.update(self._task, description=doing)
        if not self._is_live:
            self._print_line(doing)

    def expect(self, total: int | None) -> None:
        """Count from 0 to this total; None where it is not known."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(self._doing, total=total)

    def advance(self) -> None:
        """Count one more as done."""
        self._progress.advance(self._task)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question or a report."""
        self._progress.stop()
        doing, self._doing = self._doing, ""
        try:
            yield
        finally:
            self._doing = doing
            self._progress.start()

    def __enter__(self) -> Self:
        self._progress.start()
        if not self._is_live:
            Thread(target=self._print_heartbeats, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._progress.stop()

    def _print_heartbeats(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            doing = self._doing
            if doing and self._clock() - self._last_line >= self._heartbeat:
                self._print_line(f"{doing} ({self._format_step()} so far)")

    def _print_line(self, text: str) -> None:
        self._last_line = self._clock()
        self.console.print(Text(f"[{self._format_elapsed()}] {text}", style="dim"))

    def _format_elapsed(self) -> str:
        minutes, seconds = divmod(int(self._clock() - self._began), 60)
        return f"{minutes}:{seconds:02d}"

    def _format_step(self) -> str:
        seconds = self._clock() - self._step_began
        return f"{seconds:.0f} s" if seconds >= _SHOW_STEP_CLOCK_FROM else ""


class _DescriptionColumn(ProgressColumn):
    """What is being done; it alone is shortened where the terminal is narrow."""

    def render(self, task: Task) -> Text:
        """Return the description in one line."""
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _ClockColumn(ProgressColumn):
    """A clock that also moves while the count stands still, or is complete."""

    def __init__(self, read: Callable[[], str], table_column: Column) -> None:
        super().__init__(table_column=table_column)
        self._read = read

    def render(self, task: Task) -> Text:  # noqa: ARG002 - the base class's signature
        """Return the time."""
        return Text(self._read(), style="progress.elapsed", no_wrap=True)
