"""`trimtab init`: inspect a table, and write a first configuration for its model."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.progress import show_progress_when_slow

DataOption = Annotated[
    Path,
    typer.Option(
        help="Its history as one table: CSV, gzipped CSV or Parquet, 1,000 to 1,000,000 rows.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        help="Leave out earlier rows, such as those that the MLflow model was trained on.",
        metavar="TIME",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
    ),
]


def init(
    *,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model's name in the model registry.")
    ],
    data: DataOption,
    target: Annotated[
        str | None, typer.Option(help="Column with the true values that the model predicts.")
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(
            help="Column with the time of each row. Not needed where only one column has times."
        ),
    ] = None,
    mlflow_model: Annotated[
        str | None,
        typer.Option(help="Monitor this model of MLflow. It must have the same name as MODEL."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Inspect this version of it instead of its champion.")
    ] = None,
    since: SinceOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what an earlier init wrote.")
    ] = False,
) -> int:
    """Inspect a model's history and write how it is monitored. It asks no questions.

    Writes conf/local/models/MODEL.yml and conf/local/catalog_MODEL.yml in this folder, with a
    comment on every line: the target, which columns are features, which are left out and why, and
    how time is divided into windows. Read it, change it, then run `trimtab backtest MODEL`.

    With --mlflow-model, the model's signature decides which columns are features. The version with
    the alias `champion` is the one monitored, and it is not changed.
    """
    with show_progress_when_slow("loading"):
        from trimtab.cli.init.run import InitOptions, run_init

    return run_init(
        InitOptions(
            name=name,
            data=data,
            target=target,
            timestamp=timestamp,
            mlflow_model=mlflow_model,
            version=version,
            since=since,
        ),
        force=force,
    )
