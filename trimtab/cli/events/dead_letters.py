"""`trimtab events dead` and `retry`: what the bridge put aside, and how it is published again."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:  # what these import takes time, and `trimtab --help` needs none
    from rich.console import Console

    from trimtab.adapters.event_stream import DeadLetter

_SHOWN: Final = 300
"""Characters of an event."""


def dead(
    most: Annotated[int, typer.Option(help="Show so many, the newest.", min=1)] = 20,
) -> None:
    """Show the events that the bridge put aside, and why."""
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.adapters.event_stream import list_dead_letters  # noqa: PLC0415 - as above
    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    with faults_told():
        settings = load_settings()
        letters, count = list_dead_letters(settings, limit=most)
    console = Console()
    for letter in reversed(letters):
        _show(letter, console)
    if not count:
        console.print(f"No dead letters in {settings.redis.dead_letters}.", highlight=False)
        return
    older = f", {count - len(letters)} older ones not shown" if count > len(letters) else ""
    console.print(f"{count} in {settings.redis.dead_letters}{older}.", highlight=False)
    how = "Once the cause is mended: trimtab events retry ID, or --all"
    console.print(how, highlight=False, soft_wrap=True)


def retry(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids, as `events dead` shows them.")
    ] = None,
    everything: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--all", help="All that there are.")
    ] = False,
) -> None:
    """Publish events that were put aside again, and remove the letters.

    An event that has an incident already opens no second one; one that is still wrong comes back.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.adapters.event_stream import republish_all_dead_letters, republish_dead_letter  # noqa: PLC0415 - as above
    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - see above

    if bool(letters) == everything:
        msg = "name the ids that `trimtab events dead` shows, or write --all"
        raise typer.BadParameter(msg, param_hint="ID…")
    console = Console()
    with faults_told():
        settings = load_settings()
        if everything:
            count = republish_all_dead_letters(settings)
            console.print(f"{count} published to the stream {settings.redis.stream}.")
        for letter in letters or ():
            entry = republish_dead_letter(settings, letter)
            console.print(f"{letter} was published as {entry}.", highlight=False)


def _show(letter: "DeadLetter", console: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415 - see above

    times = "once" if letter.deliveries == 1 else f"{letter.deliveries} times"
    console.print(
        Text.assemble((letter.id, "bold"), f"  put aside {letter.at[:19]}, tried {times}")
    )
    raw = " ".join(letter.raw.decode(errors="replace").split())
    event = raw if len(raw) <= _SHOWN else f"{raw[:_SHOWN]}…"
    for name, value in (("reason", letter.reason), ("event", event)):
        console.print(Text(f"  {name:<7}{value}"), soft_wrap=True)
    console.print()
