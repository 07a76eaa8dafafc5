"""Checks this machine: the servers' binaries, the disk, and files that settings name."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.runtime.embedded.servers import Server, StackError, Temporal, Valkey
from trimtab.runtime.settings import Settings

_PATIENCE: Final = 10.0
ROOM: Final = 2**30
"""Free bytes below which an embedded stack soon stands still."""


def check_binaries(settings: Settings) -> Iterator[CheckResult]:
    """Whether the embedded servers and the `temporal` CLI can be run."""
    with tempfile.TemporaryDirectory() as folder:
        yield _check_binary(Temporal(Path(folder) / "temporal.db"))
        if settings.redis.url is None:
            yield _check_binary(Valkey(Path(folder)))


def _check_binary(server: Server) -> CheckResult:
    thing = f"binary of {server.name}"
    try:
        binary = server.command([0] * server.port_count)[0]
        version = subprocess.run(  # noqa: S603 - from a wheel of ours
            [binary, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
    except StackError as error:
        return CheckResult.fault(thing, str(error), "as it says")
    except (OSError, subprocess.SubprocessError) as error:
        return CheckResult.fault(
            thing, f"cannot be run: {error}", "install the environment anew: `uv sync`"
        )
    return CheckResult.fine(thing, version.stdout.strip().splitlines()[0])


def check_disk(settings: Settings) -> Iterator[CheckResult]:
    """Whether the home can be written to and has room."""
    home = settings.home.absolute()
    there = next(path for path in (home, *home.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield CheckResult.fault(
            f"home {home}", f"{there} cannot be written to", "set TRIMTAB_HOME elsewhere"
        )
        return
    free = shutil.disk_usage(there).free
    if free < ROOM:
        said = f"{free / 2**20:,.0f} MiB free"
        yield CheckResult.fault(
            f"home {home}", said, "free at least 1 GiB, or set TRIMTAB_HOME elsewhere"
        )
    else:
        yield CheckResult.fine(f"home {home}", f"{free / 2**30:,.0f} GiB free")


def check_keys(settings: Settings) -> Iterator[CheckResult]:
    """Whether keys that exist can be read; those that do not are made on first use."""
    named = {
        "grants.private_key": settings.grants.private_key,
        "grants.public_key": settings.grants.public_key,
        "audit.key": settings.audit.key,
    }
    for key, path in named.items():
        if path and path.exists() and not (path.is_file() and os.access(path, os.R_OK)):
            yield CheckResult.fault(key, f"{path} cannot be read", "correct its path or its owner")
