"""Processes that end with us: leashed, logged to a file, and known by the ports they listen on."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from trimtab.runtime.embedded.process_guard import leashed

GRACE: Final = 10.0
"""Seconds that a child has to end by itself after SIGTERM."""
_GLANCE: Final = 0.02
_KEEP_LOG_BYTES: Final = 4 * 1024 * 1024


class Child:
    """One leashed process, its log, and how to end it."""

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        *,
        log: Path,
        log_begins: int,
        grace: float,
    ) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._grace = grace
        self._log_begins = log_begins

    @property
    def pid(self) -> int:
        """The leash's process id; the command runs below it."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code as a shell gives it, or None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._let_go()
        return code

    def last_lines(self, count: int = 12) -> str:
        """The end of what it has written since it was started."""
        with self.log.open("rb") as file:
            file.seek(max(self._log_begins, self.log.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])

    def obituary(self) -> str:
        """How it ended, with its last words."""
        last = self.last_lines() or "(empty)"
        return f"{self.name} ended with code {self.returncode}; the end of {self.log}:\n{last}"

    def listens_on(self, port: int) -> bool:
        """Whether this child, and no stranger, is the one that listens there."""
        try:
            family = [psutil.Process(self.pid)]
            family += family[0].children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        return any(_listens(process, port) for process in family)

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        while (code := self.returncode) is None:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(_GLANCE)
        return code

    async def stop(self) -> None:
        """Let go of the leash and wait; kill what does not end in time."""
        self._let_go()
        try:
            async with asyncio.timeout(self._grace + 5.0):
                await self.wait()
        except TimeoutError:
            self._process.kill()
            await self.wait()

    def _let_go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


def start_child(  # noqa: PLR0913 - what any process is started with
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = GRACE,
    inherit: Sequence[int] = (),
) -> Child:
    """Start a command that ends when we do, appending what it says to log.

    Args:
        name: What people call it.
        command: The command line.
        log: File that stdout and stderr are appended to; one older generation is kept.
        environment: Variables added to ours.
        folder: Working directory; ours by default.
        grace: Seconds from SIGTERM to SIGKILL.
        inherit: File descriptors that the leash keeps open for as long as it lives.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _KEEP_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as file:
        begins = file.tell()  # before it can have written
        process = subprocess.Popen(  # noqa: S603 - our own command line
            leashed(list(command), grace=grace),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            pass_fds=tuple(inherit),
            start_new_session=True,
        )
    return Child(name, process, log=log, log_begins=begins, grace=grace)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )
