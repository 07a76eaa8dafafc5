"""`trimtab notify`: send a test notice to the policy's targets, and show whether it arrived."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def notify(
    *,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET", help="A name under `notify` of the policy. Without one, every target."
        ),
    ] = None,
) -> int:
    """Send a test notice from this machine now, and show what each target answered.

    It is sent as workers send theirs, with the variables and files of this machine, and once:
    nothing is retried. Its kind is `test`, and it goes to a target whatever its `kinds` are.

    Exit code 0: every target accepted it; 1: at least one did not; 2: there is no such target.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.notify.run import run_notify

    return run_notify(target)
