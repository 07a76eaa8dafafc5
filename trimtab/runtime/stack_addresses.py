"""The addresses of a running embedded stack, for other processes that use the same home."""

from pathlib import Path
from typing import Final

import psutil
from pydantic import ValidationError

from trimtab.contracts.base import Record
from trimtab.files.atomic_file import write_atomically
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings

_FILE: Final = "stack.json"
_FILE_MODE: Final = 0o600
"""Addresses may hold passwords."""


class StackAddresses(Record):
    """The addresses of all servers: the content of `stack.json`."""

    temporal: str
    """host:port of the frontend."""
    ui: str | None
    """Temporal's Web UI; None if unknown."""
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
    """Creation time of that process, in seconds since 1970: a process id may be used again."""

    def build_environment(self) -> dict[str, str]:
        """Return the variables that make any Trimtab process use this stack."""
        return {
            "TRIMTAB_HOME": str(self.home),
            "TRIMTAB_TEMPORAL__ADDRESS": self.temporal,
            "TRIMTAB_REDIS__URL": self.redis,
            "MLFLOW_TRACKING_URI": self.tracking,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "DO_NOT_TRACK": "1",
            **({"TRIMTAB_TEMPORAL__UI_URL": self.ui} if self.ui else {}),
        }


def find_running_stack(home: Path) -> StackAddresses | None:
    """Return the stack that runs for this home, or None; a stale `stack.json` counts as none."""
    try:
        addresses = StackAddresses.model_validate_json((home / _FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    born = get_creation_time(addresses.pid)
    return addresses if born and abs(born - addresses.born) < 1.0 else None


def get_creation_time(pid: int) -> float | None:
    """Return when a living process was created, in seconds since 1970; None for a dead one."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def find_redis_url(settings: Settings) -> str | None:
    """Return the configured Redis URL, or else the running embedded stack's, or None."""
    if settings.redis.url:
        return str(settings.redis.url)
    stack = find_running_stack(settings.home)
    return stack.redis if stack else None


def require_redis_url(settings: Settings) -> str:
    """Return the configured Redis URL, or else the running embedded stack's.

    Raises:
        BadConfigurationError: There is neither.
    """
    url = find_redis_url(settings)
    if url is None:
        fault = (
            "redis.url = None: set TRIMTAB_REDIS__URL=redis://host:port, or start the embedded"
            f" stack with `{format_command('up')}` (none runs for {settings.home.absolute()})"
        )
        raise BadConfigurationError([fault])
    return url


def write_addresses(addresses: StackAddresses) -> None:
    """Write `stack.json`, readable by its owner alone."""
    write_atomically(addresses.home / _FILE, addresses.model_dump_json(indent=2), mode=_FILE_MODE)


def remove_addresses(home: Path) -> None:
    """Remove `stack.json`."""
    (home / _FILE).unlink(missing_ok=True)
