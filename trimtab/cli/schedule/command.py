"""`trimtab schedule`: check a model's windows automatically, by a Temporal Schedule."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def schedule(
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="A configured model. Without one, all schedules are listed."
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            help="How often: 30m, 1h, 7d, or ISO 8601. By default as the model's configuration"
            " says."
        ),
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(help="How long after a window's end its rows have all arrived, such as 10m."),
    ] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Stop running until resumed.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Run again.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the schedule.")] = False,
) -> int:
    """Check a model's windows automatically with a Temporal Schedule.

    Each run checks the window that ends at its time, on the workers of `trimtab up` or of a
    cluster. A run is skipped while the one before it is still running. The same command again
    changes nothing; another --every changes the schedule.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.schedule.run import run_schedule

    changes = [
        flag
        for flag, is_given in (("--pause", pause), ("--resume", resume), ("--remove", remove))
        if is_given
    ]
    return run_schedule(name, every=every, lag=lag, changes=changes)
