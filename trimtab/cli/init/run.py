"""Runs `trimtab init`: inspects a table, writes a configuration for its model, and shows it."""

from datetime import UTC, datetime
from os.path import abspath
from pathlib import Path
from typing import Final, NamedTuple

from pandas import DataFrame
from rich.console import Console

from trimtab.adapters.datasets.history import HistoryDataset
from trimtab.cli.console import print_command, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.init.config_writer import format_catalog, format_model
from trimtab.cli.init.proposal import print_proposal
from trimtab.cli.registry_access import (
    find_registry,
    load_version_signature,
    write_alias_command,
)
from trimtab.contracts.ports import Refused
from trimtab.contracts.signature import ModelSignature
from trimtab.detection.onboarding.inspection import propose_configuration
from trimtab.detection.onboarding.proposal import InspectionRequest, Proposal, UnfitTableError
from trimtab.detection.onboarding.signature import (
    find_signature_faults,
    guess_target_columns,
    guess_timestamp_columns,
)
from trimtab.detection.profiles.column_names import choose_valid_names
from trimtab.files.atomic_file import write_atomically
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import (
    build_local_model_path,
    find_local_model_file,
    find_model_file,
)
from trimtab.runtime.models import check_model_name
from trimtab.runtime.paths import format_command, local_conf
from trimtab.runtime.settings import load_settings

_MAX_NAME_LENGTH: Final = 128


class InitOptions(NamedTuple):
    """The options of `trimtab init`."""

    name: str
    data: Path
    target: str | None
    timestamp: str | None
    mlflow_model: str | None = None
    version: str | None = None
    since: datetime | None = None


def run_init(options: InitOptions, *, force: bool) -> ExitCode:
    """Write the configuration and show it; raise `BadConfigurationError` or `Refused`."""
    console = Console()
    source, here = Path(abspath(options.data)), Path.cwd()  # noqa: PTH100 - removes "..", keeps links
    model, catalog = _choose_destinations(options.name, force=force)
    with console.status(f"inspecting {source.name!r}"):
        dataset = _build_dataset_name(model)
        proposal, renamed = _inspect_table(source, options, dataset=dataset)
    model_text = format_model(proposal, source=source, catalog=catalog.relative_to(here))
    catalog_text = format_catalog(
        proposal.spec, source=source, model=model.relative_to(here), renamed=renamed
    )
    for path, text in ((catalog, catalog_text), (model, model_text)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    print_proposal(proposal, console, renamed=renamed)
    for path in (model, catalog):
        print_unbroken(console, f"Wrote {path.relative_to(here)}")
    _print_next_step(proposal, console)
    return ExitCode.OK


def _print_next_step(proposal: Proposal, console: Console) -> None:
    name, interface = proposal.spec.name, proposal.signature
    console.print("Read it and correct it, then:")
    for command in [("doctor",), ("monitor" if interface else "backtest", name)]:
        print_command(console, *command)
    if interface and interface.champion != interface.version:
        _print_how_to_set_champion(interface, console)


def _print_how_to_set_champion(interface: ModelSignature, console: Console) -> None:
    state = f"points at version {interface.champion}" if interface.champion else "is not set"
    console.print(
        f"The alias champion {state}. Its version is the one monitored. Nothing was changed. To"
        f" monitor version {interface.version}:",
        highlight=False,
    )
    print_unbroken(console, f"  {write_alias_command(interface)}")


def _choose_destinations(name: str, *, force: bool) -> tuple[Path, Path]:
    """Return the files of the model and of its catalog entry; raise `BadConfigurationError`."""
    if faults := [f"MODEL = {fault}" for fault in check_model_name(name)]:
        raise BadConfigurationError(faults)
    model = find_local_model_file(name) or build_local_model_path(name)
    catalog = local_conf() / f"catalog_{model.stem}.yml"
    existing = [path for path in (model, catalog, find_model_file(name)) if path and path.exists()]
    if existing and not force:
        raise BadConfigurationError(
            [
                f"{path}: exists: choose another name, or overwrite it with --force"
                for path in dict.fromkeys(existing)
            ]
        )
    return model, catalog


def _build_dataset_name(model: Path) -> str:
    """Return the name of the catalog entry; "~" is no character of such a name."""
    return f"history-{model.stem.replace('~', ':')}"[:_MAX_NAME_LENGTH]


def _inspect_table(
    source: Path, options: InitOptions, *, dataset: str
) -> tuple[Proposal, dict[str, str]]:
    """Return the proposal, and the columns that are renamed: old name to new name."""
    interface, table = _read_interface(options), _load_table(source)
    # A model of MLflow has its own names.
    renamed = {} if interface else choose_valid_names(map(str, table.columns))
    table = table.rename(columns=renamed)
    options = options._replace(
        target=renamed.get(options.target or "", options.target),
        timestamp=renamed.get(options.timestamp or "", options.timestamp),
    )
    target, timestamp = _choose_target_and_timestamp(table, options, interface)
    since = options.since
    question = InspectionRequest(
        name=options.name,
        dataset=dataset,
        target=target,
        timestamp=timestamp,
        signature=interface,
        since=since if since is None or since.tzinfo else since.replace(tzinfo=UTC),
    )
    try:
        return propose_configuration(table, question), renamed
    except UnfitTableError as error:
        raise BadConfigurationError([f"{source.name}: {fault}" for fault in error.faults]) from None


def _load_table(source: Path) -> DataFrame:
    try:
        return HistoryDataset(filepath=str(source)).load()
    except Exception as error:
        cause = error.__cause__  # Kedro wraps what a dataset raises
        if isinstance(cause, Refused | OSError | EOFError):
            raise BadConfigurationError([f"{source.name}: {cause}"]) from None
        raise


def _read_interface(options: InitOptions) -> ModelSignature | None:
    if options.mlflow_model is None:
        if options.version is not None:
            raise BadConfigurationError([f"--version {options.version}: needs --mlflow-model NAME"])
        return None
    if options.mlflow_model != options.name:
        command = format_command("init", options.mlflow_model, "--mlflow-model") + " …"
        fault = f"MODEL = {options.name!r}: must be the name in MLflow: write `{command}`"
        raise BadConfigurationError([fault])
    settings = load_settings()
    if find_registry(settings) is None:
        fault = f"--mlflow-model: there is no MLflow at {settings.tracking_uri}"
        raise BadConfigurationError([f"{fault}: set MLFLOW_TRACKING_URI to its address"])
    return load_version_signature(options.name, options.version, settings)


def _choose_target_and_timestamp(
    table: DataFrame, options: InitOptions, interface: ModelSignature | None
) -> tuple[str, str]:
    """Return target and timestamp: as given, or the only column that fits.

    Raises `BadConfigurationError` where several columns fit or none.
    """
    columns, faults = ", ".join(str(name) for name in table), []
    times = (options.timestamp,) if options.timestamp else guess_timestamp_columns(table)
    if len(times) != 1:
        found = (
            f"{', '.join(times)} have times" if times else f"no column has times among {columns}"
        )
        faults.append(f"--timestamp is missing: {found}: name the column with each row's time")
    targets: tuple[str, ...] = (options.target,) if options.target else ()
    if interface and not options.target:
        targets = guess_target_columns(table, interface, timestamp=times[0] if times else None)
    if len(targets) != 1:
        found = f"it may be {', '.join(targets)}" if targets else f"the columns are {columns}"
        faults.append(f"--target is missing: {found}: name the column with the true values")
    faults.extend(find_signature_faults(table, interface) if interface else ())
    if faults:
        raise BadConfigurationError([f"{options.data.name}: {fault}" for fault in faults])
    return targets[0], times[0]
