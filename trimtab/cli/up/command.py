"""`trimtab up`: the embedded stack, worker and bridge, until Ctrl-C."""

from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow


def up(
    *,
    mlflow_ui: Annotated[
        bool, typer.Option("--mlflow-ui", help="Also serve MLflow's web page.")
    ] = False,
) -> int:
    """Run everything on this machine until Ctrl-C: Temporal, a Redis stream, worker and bridge.

    Data stays in the folder .trimtab and is used again by the next start. A service that the
    settings give an address (such as TRIMTAB_REDIS__URL or TEMPORAL_ADDRESS) is used as it is and
    not started.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.up.run import run_up

    return run_up(mlflow_ui=mlflow_ui)
