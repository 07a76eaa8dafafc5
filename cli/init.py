"""`trimtab init`: look at a table, ask nothing, and write a first configuration for its model."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # pandas takes a second to import, and `trimtab --help` needs none of it
    from rich.console import Console

    from detection.inspection import Proposal


def init(
    name: Annotated[str, typer.Argument(help="What the model is to be called in the registry.")],
    data: Annotated[
        Path,
        typer.Option(
            help="Its history as one table: CSV, gzipped CSV or Parquet, 1,000 to 1,000,000 rows.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    target: Annotated[str, typer.Option(help="Column with the truth that the model predicts.")],
    timestamp: Annotated[str, typer.Option(help="Column with the time of each row.")],
    force: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--force", help="Overwrite what an earlier init wrote.")
    ] = False,
) -> None:
    """Look at a model's history and write how it is to be watched; nothing is asked.

    Writes conf/local/models/NAME.yml and conf/local/catalog_NAME.yml in this folder, with a
    comment on every line: what is predicted, which columns are features and which are left out
    and why, how time is cut into windows. Read it, change it, then run `trimtab backtest NAME`.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module

    with faults_told():
        configure(name, data, target=target, timestamp=timestamp, force=force, console=Console())


def configure(
    name: str, data: Path, *, target: str, timestamp: str, force: bool, console: "Console"
) -> None:
    """Write the configuration and show it; raises `BadConfigurationError` or `Refused`."""
    from cli.first_configuration import catalog_text, model_text  # noqa: PLC0415 - see above
    from cli.proposal import print_proposal  # noqa: PLC0415 - see above

    source, here = data.absolute(), Path.cwd()
    model, catalog = _destinations(name, force=force)
    with console.status(f"looking at {source.name!r}"):
        proposal = _inspect(source, name=name, target=target, timestamp=timestamp)
    in_model = model_text(proposal, source=source, catalog=catalog.relative_to(here))
    in_catalog = catalog_text(proposal.spec, source=source, model=model.relative_to(here))
    _write(catalog, in_catalog)
    _write(model, in_model)
    print_proposal(proposal, console)
    for path in (model, catalog):
        console.print(f"Wrote [bold]{path.relative_to(here)}[/]", highlight=False)
    console.print(f"Read it, then: [bold]trimtab backtest {shlex.quote(name)}[/]", highlight=False)


def _destinations(name: str, *, force: bool) -> tuple[Path, Path]:
    from runtime.models import name_faults, slug  # noqa: PLC0415 - see above
    from runtime.paths import local_conf, shipped_conf  # noqa: PLC0415 - see above
    from runtime.settings import BadConfigurationError  # noqa: PLC0415 - see above

    if faults := [f"NAME = {fault}" for fault in name_faults(name)]:
        raise BadConfigurationError(faults)
    model = local_conf() / "models" / f"{slug(name)}.yml"
    catalog = local_conf() / f"catalog_{slug(name)}.yml"
    shipped = shipped_conf() / "base" / "models" / model.name
    there = [path for path in (model, catalog, shipped) if path.exists()]
    if there and not force:
        faults = [
            f"{path}: exists: choose another NAME, or overrule it by --force" for path in there
        ]
        raise BadConfigurationError(faults)
    return model, catalog


def _inspect(source: Path, *, name: str, target: str, timestamp: str) -> "Proposal":
    from adapters.datasets.history import HistoryDataset  # noqa: PLC0415 - see above
    from contracts.ports import Refused  # noqa: PLC0415 - as above
    from detection.inspection import Question, UnfitTableError, propose  # noqa: PLC0415 - as above
    from runtime.models import slug  # noqa: PLC0415 - as above
    from runtime.settings import BadConfigurationError  # noqa: PLC0415 - as above

    try:
        table = HistoryDataset(filepath=str(source)).load()
    except Exception as error:
        cause = error.__cause__  # Kedro wraps what a dataset raises
        if isinstance(cause, Refused | OSError | EOFError):
            raise BadConfigurationError([f"{source.name}: {cause}"]) from None
        raise
    dataset = f"history-{slug(name)}"[:128]
    question = Question(name=name, dataset=dataset, target=target, timestamp=timestamp)
    try:
        return propose(table, question)
    except UnfitTableError as error:
        raise BadConfigurationError([f"{source.name}: {fault}" for fault in error.faults]) from None


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
