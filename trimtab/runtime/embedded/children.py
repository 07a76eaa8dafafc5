"""Child processes that end with us: guarded, and logged to a file each."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from trimtab.files.private_files import PRIVATE_UMASK, private_umask
from trimtab.runtime.embedded.process_guard import guard_command

GRACE_SECONDS: Final = 10.0
"""Time that a child has to end after SIGTERM."""
_POLL_SECONDS: Final = 0.02
_KILL_MARGIN_SECONDS: Final = 5.0
"""Time beyond the grace after which a guard that has not ended is killed itself."""
_MAX_LOG_BYTES: Final = 4 * 1024 * 1024
"""Size from which a log is put aside before the next start."""
_MAX_READ_BYTES: Final = 64 * 1024


class ChildProcess:
    """One guarded process, its log, and how to end it."""

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
        """Process id of the guard; the command runs below it."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code as a shell gives it, or None while the process runs."""
        code = self._process.poll()
        if code is not None:
            self._close_pipe()
        return code

    def read_last_lines(self, count: int = 12) -> str:
        """Return the last lines that it has written since it was started."""
        with self.log.open("rb") as file:
            file.seek(max(self._log_begins, self.log.stat().st_size - _MAX_READ_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])

    def format_exit_report(self) -> str:
        """Return how it ended, with the last lines of its log."""
        last = self.read_last_lines() or "(empty)"
        return f"{self.name} ended with code {self.returncode}; the end of {self.log}:\n{last}"

    def listens_on(self, port: int) -> bool:
        """Return whether this child, and no other process, listens on the port."""
        try:
            family = [psutil.Process(self.pid)]
            family += family[0].children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        return any(_is_listening(process, port) for process in family)

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        code = self.returncode
        while code is None:
            await asyncio.sleep(_POLL_SECONDS)
            code = self.returncode
        return code

    async def stop(self) -> None:
        """End it and wait; kill the guard if it does not end in time."""
        self._close_pipe()
        try:
            async with asyncio.timeout(self._grace + _KILL_MARGIN_SECONDS):
                await self.wait()
        except TimeoutError:
            self._process.kill()
            await self.wait()

    def _close_pipe(self) -> None:
        """Close the pipe whose end tells the guard to end the command."""
        if self._process.stdin is not None:
            self._process.stdin.close()


def start_child(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = GRACE_SECONDS,
    inherit: Sequence[int] = (),
) -> ChildProcess:
    """Start a command that ends when we do, and append its output to a log.

    What it writes is for its owner alone: databases, streams and logs hold grants and events.

    Args:
        command: The command line.
        log: File that stdout and stderr are appended to; one older generation is kept. Its name
            without the suffix is what messages call the child.
        environment: Variables added to ours.
        folder: Working directory; ours by default.
        grace: Seconds from SIGTERM to SIGKILL.
        inherit: File descriptors that the guard keeps open for as long as it lives.
    """
    with private_umask():
        log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with private_umask(), log.open("ab") as file:
        begins = file.tell()  # before it can have written
        process = subprocess.Popen(  # noqa: S603 - our own command line
            guard_command(list(command), grace=grace),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            pass_fds=tuple(inherit),
            start_new_session=True,
            umask=PRIVATE_UMASK,
        )
    return ChildProcess(log.stem, process, log=log, log_begins=begins, grace=grace)


def find_free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_listening(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )
