"""`trimtab show`: one incident, with the question that it asks or the way in which it ended."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def show(
    *,
    incident: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The event id or the workflow id, or how one of them begins."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Show an incident: its state and its page if it is open, its outcome if it is closed.

    Exit code 0: shown; 1: no worker answers, or it has no report; 2: the id is unknown or
    ambiguous.
    """
    with show_progress_when_slow("asking Temporal"):
        from trimtab.cli.show.run import run_show_incident

        return run_show_incident(incident, as_json=as_json)
