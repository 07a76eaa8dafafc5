"""Runs `trimtab thaw`: ends a freeze."""

from rich.console import Console

from trimtab.cli.console import print_command, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.freeze.notices import tell_of_freeze
from trimtab.cli.registry_access import open_freezes
from trimtab.runtime.settings import load_settings


def run_thaw(model: str | None) -> ExitCode:
    """End a freeze and say what was ended; raise `Refused` where there is no such model."""
    freezes, console = open_freezes(load_settings()), Console()
    ended = freezes.remove(model)
    if ended is None:
        thing = "There was no freeze of all models" if model is None else f"{model} was not frozen"
        console.print(f"{thing}: nothing to end.", highlight=False)
    else:
        print_wrapped(console, f"Ended: {ended}.")
        tell_of_freeze(ended, console, ended=True)
    rest = freezes.find_of_all()
    if model is not None and rest is not None:
        print_wrapped(console, f"Still in force: {rest}.", style="yellow")
        print_command(console, "thaw")
    return ExitCode.OK
