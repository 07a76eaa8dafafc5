"""Runs `trimtab events dead` and `retry`: shows dead letters, and publishes their events again."""

from collections.abc import Sequence
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from trimtab.adapters.event_stream import (
    DeadLetter,
    list_dead_letters,
    republish_all_dead_letters,
    republish_dead_letter,
)
from trimtab.cli.console import print_command, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.contracts.base import clean_text
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import load_settings

MAX_EVENT_LENGTH: Final = 300
"""Characters of an event that are shown."""


def run_dead(*, most: int) -> ExitCode:
    """Show the newest dead letters, at most this many, the newest last."""
    settings, console = load_settings(), Console()
    letters, count = list_dead_letters(settings, limit=most)
    stream = settings.redis.dead_letters
    if not count:
        console.print(f"No dead letters in {stream}.", highlight=False)
        return ExitCode.OK
    for letter in reversed(letters):
        _print_letter(letter, console)
    older = f", {count - len(letters)} older ones not shown" if count > len(letters) else ""
    console.print(f"{count} in {stream}{older}.", highlight=False)
    console.print("Once the cause is fixed, publish them again (or one, by its id):")
    print_command(console, "events", "retry", "--all")
    return ExitCode.OK


def run_retry(letters: Sequence[str], *, everything: bool) -> ExitCode:
    """Publish these dead letters' events again, or those of all, and remove the letters."""
    if bool(letters) == everything:
        msg = f"name the ids that `{format_command('events', 'dead')}` shows, or write --all"
        raise typer.BadParameter(msg, param_hint="ID…")
    settings, console = load_settings(), Console()
    if everything:
        count = republish_all_dead_letters(settings)
        console.print(f"{count} published to the stream {settings.redis.stream}.", highlight=False)
    for letter in letters:
        entry = republish_dead_letter(settings, letter)
        console.print(f"{letter} was published as {entry}.", highlight=False)
    return ExitCode.OK


def _print_letter(letter: DeadLetter, console: Console) -> None:
    times = "once" if letter.deliveries == 1 else f"{letter.deliveries} times"
    console.print(
        Text.assemble((letter.id, "bold"), f"  put aside {letter.at[:19]}, tried {times}")
    )
    raw = clean_text(letter.raw.decode(errors="replace"))
    event = raw if len(raw) <= MAX_EVENT_LENGTH else f"{raw[:MAX_EVENT_LENGTH]}…"
    for name, value in (("reason", letter.reason), ("event", event)):
        print_unbroken(console, f"  {name:<7}| {clean_text(value)}")
    console.print()
