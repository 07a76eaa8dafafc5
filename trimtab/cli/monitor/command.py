"""`trimtab monitor`: check one window of a model, in the terminal or as a page."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def monitor(
    *,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A configured model.")],
    window: Annotated[
        str,
        typer.Option(
            help="START/END, the day or time when a window begins, or `last`: the newest complete"
            " window of the history."
        ),
    ] = "last",
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Write a page with plots of both distributions."
        ),
    ] = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish an event if a scheduled run would."),
    ] = False,
) -> int:
    """Check one window of a model as a scheduled run would, and show the result.

    Nothing is published without --publish. The window is recorded in MLflow either way.

    Exit code 0: no drift; 1: drift; 2: bad input; 3: not enough data; 69: a store did not answer.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.monitor.run import run_monitor

    return run_monitor(name, window=window, html=html, publish=publish)
