"""What is shown while a backtest takes long: a clock that always moves."""

import io
import time

from rich.console import Console

from tests.waiting import until
from trimtab.cli.backtest.progress_display import ProgressDisplay


class Clock:
    """Says what it is set to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(output: io.StringIO) -> list[str]:
    return output.getvalue().splitlines()


def test_plain_lines_say_how_long_it_has_taken() -> None:
    output, clock = io.StringIO(), Clock()
    with ProgressDisplay(Console(file=output), clock=clock) as display:
        display.show("starting temporal")
        clock.now += 65
        display.show("training")
        display.show("training")

    assert lines(output) == ["[0:00] starting temporal", "[1:05] training"]


async def test_a_step_that_takes_long_is_printed_again_with_the_time() -> None:
    output, clock = io.StringIO(), Clock()
    with ProgressDisplay(Console(file=output), clock=clock, heartbeat=15.0) as display:
        display.show("waiting for the worker")
        clock.now += 16

        await until(lambda: len(lines(output)) == 2)

    assert lines(output)[1] == "[0:16] waiting for the worker (16 s so far)"


def test_nothing_is_printed_again_while_a_question_has_the_terminal() -> None:
    output, clock = io.StringIO(), Clock()
    with ProgressDisplay(Console(file=output), clock=clock, heartbeat=0.1) as display:
        display.show("waiting for person")
        with display.paused():
            clock.now += 60
            time.sleep(0.5)

    assert lines(output) == ["[0:00] waiting for person"]


async def test_on_a_terminal_the_clock_moves_though_every_window_is_done() -> None:
    output, clock = io.StringIO(), Clock()
    console = Console(file=output, force_terminal=True, width=80)
    with ProgressDisplay(console, clock=clock) as display:
        display.expect(8)
        for _ in range(8):
            display.advance()
        display.show("waiting for the worker")
        clock.now += 42

        await until(lambda: "42 s" in output.getvalue())
        clock.now += 20
        await until(lambda: "1:02" in output.getvalue())
