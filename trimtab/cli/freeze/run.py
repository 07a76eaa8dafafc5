"""Runs `trimtab freeze`: puts a freeze in force."""

import getpass
from datetime import UTC, datetime

from rich.console import Console

from trimtab.cli.console import print_command, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.freeze.notices import tell_of_freeze
from trimtab.cli.registry_access import open_freezes
from trimtab.contracts.freeze import Freeze
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import load_settings

_MAX_REASON_LENGTH = 500


def run_freeze(model: str | None, *, reason: str) -> ExitCode:
    """Freeze a model, or all models; raise `Refused` where the registry has no such model."""
    if len(reason) > _MAX_REASON_LENGTH:
        fault = f"--reason: {len(reason)} characters: write at most {_MAX_REASON_LENGTH}"
        raise BadConfigurationError([fault])
    freeze = Freeze(model=model, reason=reason, by=_find_user(), at=datetime.now(UTC))
    open_freezes(load_settings()).put(freeze)
    console = Console()
    print_wrapped(console, f"From now on {freeze}.")
    tell_of_freeze(freeze, console)
    console.print("No worker changes anything on it. To end this:")
    print_command(console, "thaw", *([] if model is None else [model]))
    return ExitCode.OK


def _find_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the system's list
        return ""
