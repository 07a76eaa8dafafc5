"""`trimtab init`: look at a table, ask nothing, and write a first configuration for its model."""

import shlex
from datetime import UTC, datetime
from os.path import abspath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:  # pandas takes a second to import, and `trimtab --help` needs none of it
    from pandas import DataFrame
    from rich.console import Console

    from trimtab.contracts.signature import ModelSignature
    from trimtab.detection.onboarding.proposal import Proposal


def init(  # noqa: PLR0913, PLR0917 - the options of the command line
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
    target: Annotated[
        str | None, typer.Option(help="Column with the truth that the model predicts.")
    ] = None,
    timestamp: Annotated[
        str | None,
        typer.Option(help="Column with the time of each row; unneeded where only one holds times."),
    ] = None,
    mlflow_model: Annotated[
        str | None,
        typer.Option(help="Watch this model that MLflow holds; NAME must be the same."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Look at this version of it instead of its champion.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Leave out earlier rows, such as those that the MLflow model learnt from.",
            metavar="TIME",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        ),
    ] = None,
    force: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--force", help="Overwrite what an earlier init wrote.")
    ] = False,
) -> None:
    """Look at a model's history and write how it is to be watched; nothing is asked.

    Writes conf/local/models/NAME.yml and conf/local/catalog_NAME.yml in this folder, with a
    comment on every line: what is predicted, which columns are features and which are left out
    and why, how time is cut into windows. Read it, change it, then run `trimtab backtest NAME`.

    With --mlflow-model the model's signature settles which columns are features; the version that
    the alias `champion` points at is the one watched, and it stays as it is.
    """
    from rich.console import Console  # noqa: PLC0415 - see above

    from trimtab.cli.app import faults_told  # noqa: PLC0415 - cli.app imports this module

    with faults_told():
        asked = Asked(name, data, target, timestamp, mlflow_model, version, since)
        configure(asked, force=force, console=Console())


class Asked(NamedTuple):
    """What was asked for on the command line."""

    name: str
    data: Path
    target: str | None
    timestamp: str | None
    mlflow_model: str | None = None
    version: str | None = None
    since: datetime | None = None


def configure(asked: Asked, *, force: bool, console: "Console") -> None:
    """Write the configuration and show it; raises `BadConfigurationError` or `Refused`."""
    from trimtab.cli.init.config_writer import catalog_text, model_text  # noqa: PLC0415 - see above
    from trimtab.cli.init.proposal import print_proposal  # noqa: PLC0415 - see above

    source, here = Path(abspath(asked.data)), Path.cwd()  # noqa: PTH100 - no ".." in it, links kept
    model, catalog = _destinations(asked.name, force=force)
    with console.status(f"looking at {source.name!r}"):
        proposal, renamed = _inspect(source, asked)
    in_model = model_text(proposal, source=source, catalog=catalog.relative_to(here))
    in_catalog = catalog_text(
        proposal.spec, source=source, model=model.relative_to(here), renamed=renamed
    )
    _write(catalog, in_catalog)
    _write(model, in_model)
    print_proposal(proposal, console, renamed=renamed)
    for path in (model, catalog):
        console.print(f"Wrote [bold]{path.relative_to(here)}[/]", highlight=False)
    _say_what_is_next(proposal, console)


def _say_what_is_next(proposal: "Proposal", console: "Console") -> None:
    name, interface = shlex.quote(proposal.spec.name), proposal.signature
    watch = f"trimtab doctor && trimtab monitor {name}"
    command = watch if interface else f"trimtab backtest {name}"
    console.print(f"Read it, then: [bold]{command}[/]", highlight=False)
    if interface and interface.champion != interface.version:
        from trimtab.adapters.registry.registered_signature import format_alias_command  # noqa: PLC0415 - three seconds

        stands = f"points at version {interface.champion}" if interface.champion else "is not set"
        console.print(
            f"The alias champion {stands}, and that is the version watched. Nothing was changed; to"
            f" watch version {interface.version}:\n  {format_alias_command(interface)}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip


def _destinations(name: str, *, force: bool) -> tuple[Path, Path]:
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - see above
    from trimtab.runtime.models import check_model_name, slug  # noqa: PLC0415 - see above
    from trimtab.runtime.paths import local_conf, shipped_conf  # noqa: PLC0415 - see above

    if faults := [f"NAME = {fault}" for fault in check_model_name(name)]:
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


def _inspect(source: Path, asked: Asked) -> "tuple[Proposal, dict[str, str]]":
    """What is proposed, and what columns are called instead of their names in the table."""
    from trimtab.detection.onboarding.inspection import propose_configuration  # noqa: PLC0415 - see above
    from trimtab.detection.onboarding.proposal import InspectionRequest, UnfitTableError  # noqa: PLC0415 - see above
    from trimtab.detection.profiles.column_names import choose_valid_names  # noqa: PLC0415 - as above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above
    from trimtab.runtime.models import slug  # noqa: PLC0415 - as above

    interface, table = _interface(asked), _load(source)
    renamed = (
        {} if interface else choose_valid_names(map(str, table.columns))
    )  # a model has its own names
    table = table.rename(columns=renamed)
    asked = asked._replace(
        target=renamed.get(asked.target or "", asked.target),
        timestamp=renamed.get(asked.timestamp or "", asked.timestamp),
    )
    target, timestamp = _axes(table, asked, interface)
    since = asked.since
    question = InspectionRequest(
        name=asked.name,
        dataset=f"history-{slug(asked.name)}"[:128],
        target=target,
        timestamp=timestamp,
        signature=interface,
        since=since if since is None or since.tzinfo else since.replace(tzinfo=UTC),
    )
    try:
        return propose_configuration(table, question), renamed
    except UnfitTableError as error:
        raise BadConfigurationError([f"{source.name}: {fault}" for fault in error.faults]) from None


def _load(source: Path) -> "DataFrame":
    from trimtab.adapters.datasets.history import HistoryDataset  # noqa: PLC0415 - see above
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - as above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above

    try:
        return HistoryDataset(filepath=str(source)).load()
    except Exception as error:
        cause = error.__cause__  # Kedro wraps what a dataset raises
        if isinstance(cause, Refused | OSError | EOFError):
            raise BadConfigurationError([f"{source.name}: {cause}"]) from None
        raise


def _interface(asked: Asked) -> "ModelSignature | None":
    from trimtab.cli.doctor.champion_checks import registry_exists  # noqa: PLC0415 - see above
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above
    from trimtab.runtime.settings import load_settings  # noqa: PLC0415 - as above

    if asked.mlflow_model is None:
        if asked.version is not None:
            raise BadConfigurationError([f"--version {asked.version}: needs --mlflow-model NAME"])
        return None
    if asked.mlflow_model != asked.name:
        meant = f"trimtab init {shlex.quote(asked.mlflow_model)} --mlflow-model …"
        fault = f"NAME = {asked.name!r}: Trimtab calls a model as MLflow does: write `{meant}`"
        raise BadConfigurationError([fault])
    settings = load_settings()
    if not registry_exists(settings):
        fault = f"--mlflow-model: there is no MLflow at {settings.tracking_uri}"
        raise BadConfigurationError([f"{fault}: say where it is by MLFLOW_TRACKING_URI"])
    from trimtab.adapters.registry.registered_signature import read_signature  # noqa: PLC0415 - three seconds

    return read_signature(asked.name, settings=settings, version=asked.version)


def _axes(table: "DataFrame", asked: Asked, interface: "ModelSignature | None") -> tuple[str, str]:
    """Target and timestamp, as asked or where only one column can be meant."""
    from trimtab.detection.onboarding.signature import (  # noqa: PLC0415 - see above
        find_signature_faults,
        guess_target_columns,
        guess_timestamp_columns,
    )
    from trimtab.runtime.errors import BadConfigurationError  # noqa: PLC0415 - as above

    there, faults = ", ".join(str(name) for name in table), []
    times = (asked.timestamp,) if asked.timestamp else guess_timestamp_columns(table)
    if len(times) != 1:
        which = f"{', '.join(times)} hold times" if times else f"no column holds times: {there}"
        faults.append(f"--timestamp is missing: {which}: name the column with each row's time")
    targets: tuple[str, ...] = (asked.target,) if asked.target else ()
    if interface and not asked.target:
        targets = guess_target_columns(table, interface, timestamp=times[0] if times else None)
    if len(targets) != 1:
        which = f"it may be {', '.join(targets)}" if targets else f"there are {there}"
        faults.append(f"--target is missing: {which}: name the column with the truth")
    faults.extend(find_signature_faults(table, interface) if interface else ())
    if faults:
        raise BadConfigurationError([f"{asked.data.name}: {fault}" for fault in faults])
    return targets[0], times[0]


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
