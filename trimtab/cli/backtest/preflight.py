"""Finds everything that would stop a backtest, before anything is started."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trimtab.cli.doctor.check_result import CheckState
from trimtab.cli.doctor.model_checks import check_model
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import list_model_names
from trimtab.runtime.models import load_limits, load_model_spec


def check_before_start(model: str, *, home: Path, report: Path | None) -> None:
    """Raise `BadConfigurationError` with every fault of policy, models, data and folders."""
    faults = [*_list_configuration_faults()]
    if not faults:
        faults = [*_list_data_faults(model), *_list_folder_faults(home, report)]
    if faults:
        raise BadConfigurationError(faults)


def _list_configuration_faults() -> Iterator[str]:
    """Yield the faults of every model: the bridge that is started needs all of them."""
    try:
        load_limits()
    except BadConfigurationError as error:
        yield from error.faults
    for name in list_model_names():
        try:
            load_model_spec(name)
        except BadConfigurationError as error:
            yield from error.faults


def _list_data_faults(model: str) -> Iterator[str]:
    for result in check_model(model, load_limits()):
        if result.state is CheckState.FAULT:
            remedy = f": {result.remedy}" if result.remedy else ""
            yield f"{result.thing}: {result.found}{remedy}"


def _list_folder_faults(home: Path, report: Path | None) -> Iterator[str]:
    remedies = {home: "set TRIMTAB_HOME to a folder of yours"}
    if report is not None:
        remedies[report.absolute().parent] = "give --report another path"
    for folder, remedy in remedies.items():
        fault = _find_write_fault(folder)
        if fault:
            yield f"folder {folder}: {fault}: {remedy}"
    if report is not None and report.exists() and not os.access(report, os.W_OK):
        yield f"report {report}: cannot be written: {remedies[report.absolute().parent]}"


def _find_write_fault(folder: Path) -> str | None:
    """Return why nothing can be written into a folder, which is created if it is missing."""
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
