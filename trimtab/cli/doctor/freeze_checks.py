"""Checks whether a freeze is in force: it explains why nothing is executed."""

from collections.abc import Iterator

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.registry_access import find_registry, open_freezes
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings


def check_freeze_of_all(settings: Settings) -> Iterator[CheckResult]:
    """Yield the freeze of all models; nothing if there is none, or no registry that answers."""
    if find_registry(settings) is None:
        return
    try:
        freeze = open_freezes(settings).find_of_all()
    except (Refused, Unavailable):
        return  # the check of MLflow reports it
    if freeze is not None:
        yield _report("freeze", freeze)


def check_freeze_of_model(model: str, settings: Settings) -> Iterator[CheckResult]:
    """Yield the model's own freeze; nothing if there is none, or no registry that answers."""
    if find_registry(settings) is None:
        return
    try:
        freeze = open_freezes(settings).find_of_model(model)
    except (Refused, Unavailable):
        return
    if freeze is not None:
        yield _report(f"model {model}", freeze)


def _report(thing: str, freeze: Freeze) -> CheckResult:
    command = format_command("thaw", *([] if freeze.model is None else [freeze.model]))
    return CheckResult.note(thing, str(freeze), f"nothing is executed on it until `{command}`")
