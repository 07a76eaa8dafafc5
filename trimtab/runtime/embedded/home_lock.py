"""Lets one embedded stack at a time use a home."""

import asyncio
import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from trimtab.runtime.embedded.children import GRACE_SECONDS
from trimtab.runtime.errors import StackError
from trimtab.runtime.stack_addresses import get_creation_time

_POLL_SECONDS: Final = 0.1
_TIMEOUT_SECONDS: Final = GRACE_SECONDS + 5.0
"""Time that the children of a process that died have to end."""


async def lock_home(path: Path) -> IO[str]:
    """Lock a home by a file in it, and return the file: closing it unlocks.

    Children inherit the lock, so it also waits for those of a process that died.

    Raises:
        StackError: A living process holds the lock.
    """
    file = path.open("a+", encoding="utf-8")
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not _try_lock(file):
        file.seek(0)
        holder = file.read().strip()
        if time.monotonic() > deadline or _is_alive(holder):
            file.close()
            msg = (
                f"{path.parent} is in use by process {holder or '(unknown)'}: stop that one first,"
                " or set TRIMTAB_HOME to another folder"
            )
            raise StackError(msg)
        await asyncio.sleep(_POLL_SECONDS)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    return pid.isdecimal() and get_creation_time(int(pid)) is not None
