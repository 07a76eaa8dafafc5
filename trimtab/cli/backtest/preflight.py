"""What would stop a backtest is told before anything is started, all at once."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trimtab.cli.doctor.check_result import State
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import list_model_names, load_limits, load_model_spec


def check_before_start(model: str, *, home: Path, report: Path | None) -> None:
    """Raises `BadConfigurationError` with every fault of policy, models, data and folders."""
    faults = [*_configuration_faults()]
    if not faults:
        faults = [*_data_faults(model), *_folder_faults(home, report)]
    if faults:
        raise BadConfigurationError(faults)


def _configuration_faults() -> Iterator[str]:
    """Also of other models: the bridge that is started answers for all of them."""
    try:
        load_limits()
    except BadConfigurationError as error:
        yield from error.faults
    for name in list_model_names():
        try:
            load_model_spec(name)
        except BadConfigurationError as error:
            yield from error.faults


def _data_faults(model: str) -> Iterator[str]:
    from trimtab.cli.doctor.model_checks import check_model  # noqa: PLC0415 - imports pandas and Kedro

    for finding in check_model(model, load_limits()):
        if finding.state is State.FAULT:
            yield f"{finding.thing}: {finding.said}: {finding.remedy}"


def _folder_faults(home: Path, report: Path | None) -> Iterator[str]:
    remedies = {home: "set TRIMTAB_HOME to a folder of yours"}
    if report is not None:
        remedies[report.absolute().parent] = "give --report another path"
    for folder, remedy in remedies.items():
        fault = _unwritable(folder)
        if fault:
            yield f"folder {folder}: {fault}: {remedy}"
    if report is not None and report.exists() and not os.access(report, os.W_OK):
        yield f"report {report}: may not be written: {remedies[report.absolute().parent]}"


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written into a folder, which is made where it is missing."""
    probe = folder / f".trimtab-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with suppress(OSError):
            probe.unlink()
    return None
