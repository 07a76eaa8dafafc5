"""Where a running embedded stack is, for whoever else works in the same home."""

from pathlib import Path
from typing import Final

import psutil
from pydantic import ValidationError

from trimtab.contracts.base import Record
from trimtab.files.atomic_file import write_atomically
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import Settings

_ADDRESSES_MODE: Final = 0o600
"""Addresses may hold passwords."""


class StackAddresses(Record):
    """Where everything is: the content of `stack.json`."""

    temporal: str
    """host:port of the frontend."""
    ui: str | None
    """Temporal's Web UI; None where it is not known."""
    redis: str
    """URL."""
    tracking: str
    """MLflow's tracking and registry address."""
    mlflow_ui: str | None = None
    home: Path
    """Absolute."""
    pid: int
    """Process that holds the stack."""
    born: float
    """When that process was created, in seconds since 1970: tells it from a later namesake."""

    def environment(self) -> dict[str, str]:
        """Variables that make any Trimtab process use this stack."""
        return {
            "TRIMTAB_HOME": str(self.home),
            "TRIMTAB_TEMPORAL__ADDRESS": self.temporal,
            "TRIMTAB_REDIS__URL": self.redis,
            "MLFLOW_TRACKING_URI": self.tracking,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "DO_NOT_TRACK": "1",
            **({"TRIMTAB_TEMPORAL__UI_URL": self.ui} if self.ui else {}),
        }


def running_stack(home: Path) -> StackAddresses | None:
    """The stack that runs for this home, or None; a stale `stack.json` counts as none."""
    try:
        addresses = StackAddresses.model_validate_json((home / "stack.json").read_bytes())
    except (OSError, ValidationError):
        return None
    born = birth(addresses.pid)
    return addresses if born and abs(born - addresses.born) < 1.0 else None


def birth(pid: int) -> float | None:
    """When a living process was created, in seconds since 1970; None for a dead one."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def redis_url(settings: Settings) -> str:
    """The configured address, or else the running embedded stack's.

    Raises `BadConfigurationError` where there is neither.
    """
    if settings.redis.url:
        return str(settings.redis.url)
    if stack := running_stack(settings.home):
        return stack.redis
    fault = (
        "redis.url = None: set TRIMTAB_REDIS__URL=redis://host:port, or start the embedded stack"
        f" with `trimtab up` (none runs for {settings.home.absolute()})"
    )
    raise BadConfigurationError([fault])


def announce(addresses: StackAddresses) -> None:
    """Write `stack.json`, readable by its owner alone."""
    write_atomically(
        addresses.home / "stack.json", addresses.model_dump_json(indent=2), mode=_ADDRESSES_MODE
    )


def withdraw(home: Path) -> None:
    """Remove `stack.json`."""
    (home / "stack.json").unlink(missing_ok=True)
