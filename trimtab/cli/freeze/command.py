"""`trimtab freeze`: stop every action on a model, or on all models, until `trimtab thaw`."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def freeze(
    *,
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A registered model. Without one, every model."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why; it is shown wherever an action is refused.")
    ] = "",
) -> int:
    """Stop every action on a model, or on all models, until `trimtab thaw`.

    The freeze is kept in the model registry, and workers read it before every effect: work in
    flight stops before its next step, also if a person approved it. What is not verified yet is
    still undone. Drift is still detected, investigated and recorded, and people are still asked.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.freeze.run import run_freeze

    return run_freeze(model, reason=reason)
