"""`trimtab train`: the first champion of a model that MLflow does not hold yet."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def train(
    *, name: Annotated[str, typer.Argument(metavar="MODEL", help="A configured model.")]
) -> int:
    """Train a model's first champion on its first windows, and register it in MLflow.

    The rows that it is trained on are the reference that later windows are compared with. A model
    that has a champion keeps it: from then on, only an incident replaces it.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.train.run import run_train

    return run_train(name)
