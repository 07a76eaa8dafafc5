"""`trimtab thaw`: end a freeze."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def thaw(
    *,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="The frozen model. Without one, the freeze of every model ends."
        ),
    ] = None,
) -> int:
    """End the freeze of a model; without one, the freeze of all models.

    A freeze of one model outlasts that of all models: end it by its name. Incidents that were
    refused meanwhile stay closed; the next drift opens a new one.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.thaw.run import run_thaw

    return run_thaw(model)
