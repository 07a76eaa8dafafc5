"""Debian's PostgreSQL, as a test's own child in a folder of its own."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import until


def programs() -> Path | None:
    """Where `initdb` and `postgres` are: on the PATH, or in Debian's folder of the newest."""
    debian = Path("/usr/lib/postgresql")
    folders = sorted(debian.glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    found = shutil.which("initdb")
    return folders[0] if folders else Path(found).parent if found else None


def missing(what: str, remedy: str) -> None:
    """Skips the test on a developer's machine; fails it where everything must be installed."""
    reason = f"{what} is not installed: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres() -> Iterator[str]:
    """A server on a free port of 127.0.0.1; yields the address of its database."""
    where = programs()
    if where is None:
        missing("PostgreSQL", "apt-get install postgresql")
        return
    owner = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="trimtab-postgres-") as folder:
        home = Path(folder)
        if owner:
            os.chown(home, owner.pw_uid, owner.pw_gid)
        data, port = home / "data", _free_port()
        create: list[str | Path] = [where / "initdb", "-D", data, "-U", "trimtab", "-A", "trust"]
        subprocess.run(
            [*create, "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True, capture_output=True, cwd=home, **_as(owner),
        )  # fmt: skip
        serve: list[str | Path] = [where / "postgres", "-D", data, "-p", str(port), "-k", home]
        with (home / "log").open("wb") as log:
            child = subprocess.Popen(
                [*serve, "-F", "-c", "listen_addresses=127.0.0.1", "-c", "log_statement=all"],
                stdout=log, stderr=log, cwd=home, **_as(owner),
            )  # fmt: skip
        try:
            asyncio.run(until(lambda: _listens(child.pid, port), seconds=30))
            yield f"postgresql://trimtab@127.0.0.1:{port}/postgres"
        finally:
            child.send_signal(signal.SIGINT)  # fast: does not wait for clients
            child.wait(timeout=20)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to be instead of root, whom PostgreSQL refuses to serve."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else None


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": owner.pw_uid, "group": owner.pw_gid} if owner else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(pid: int, port: int) -> bool:
    """Whether that very process listens, and no other."""
    connections = psutil.Process(pid).net_connections(kind="tcp")
    return any(each.status == "LISTEN" and each.laddr.port == port for each in connections)
