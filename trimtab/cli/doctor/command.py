"""`trimtab doctor`: check configuration, data, machine and stack, and list every fault at once."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def doctor(
    *,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Check only this one of the models.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every check, also those that are fine.")
    ] = False,
) -> int:
    """Check configuration, data and stack, and list every fault at once, each with its remedy.

    Checks the settings, the policy, every model of this folder with its catalog entry, its data
    and its champion, the binaries and the disk, and every server that is configured or running.
    Changes nothing.

    Exit code 0: no fault; 1: at least one fault; 3: this folder has no model.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.doctor.run import run_doctor

    return run_doctor(model=model, as_json=as_json, verbose=verbose)
