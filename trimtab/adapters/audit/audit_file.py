"""Opens a file of the audit log for one appender at a time, and makes appends durable.

A crash may tear the last line of a file. Its hash was never returned, because an append returns
only after fsync; so the next append cuts the torn line off.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from trimtab.contracts.ports import Unavailable

_LOCK_SECONDS: Final = 5.0
"""Time to wait for another appender."""
_POLL_SECONDS: Final = 0.01
_FILE_MODE: Final = 0o640
_MAX_FILE_BYTES: Final = 64 * 2**20
"""Size from which a file is no chain: Temporal ends a history at 50 MB."""

_log = structlog.get_logger(__name__)


class UnfitFileError(Exception):
    """Something that has a chain's name cannot be read as one; the message says what it is."""


@dataclass(frozen=True)
class LockedFile:
    """A file under lock, and what it held when it was opened."""

    descriptor: int
    path: Path
    content: bytes

    @property
    def complete_lines(self) -> bytes:
        """The content up to the last line break."""
        return self.content[: self.content.rfind(b"\n") + 1]

    def append(self, data: bytes) -> None:
        """Append complete lines and sync them to disk; a torn last line is cut off first."""
        torn = len(self.content) - len(self.complete_lines)
        if torn:
            _log.warning("audit_tail_mended", path=str(self.path), bytes=torn)
            os.ftruncate(self.descriptor, len(self.complete_lines))
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self.sync()
        if not self.complete_lines:
            # The file is new: its name must last too, and perhaps that of its folder.
            _sync_folder(self.path.parent)
            _sync_folder(self.path.parent.parent)

    def sync(self) -> None:
        """Make what has been written durable."""
        os.fsync(self.descriptor)


@contextmanager
def open_locked(path: Path) -> Iterator[LockedFile]:
    """Yield the file, which is made if it is missing, while no other process appends to it.

    Raises:
        Unavailable: Another process holds the lock for too long, or removed the file meanwhile.
        OSError: The file cannot be opened.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags, _FILE_MODE)
    try:
        _lock(descriptor, path)
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        yield LockedFile(descriptor, path, content)
    finally:
        os.close(descriptor)


def read_locked_file(path: Path) -> bytes:
    """Return the content of a file, with no append under way.

    Only a regular file is opened: a pipe would wait for somebody who writes to it.

    Raises:
        UnfitFileError: It is no such file, cannot be read, is too large, or stays locked.
    """
    try:
        _check_regular(path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        msg = f"cannot be read: {error.strerror or error}"
        raise UnfitFileError(msg) from error
    try:
        _check_regular(os.fstat(descriptor))
        _wait_for_lock(descriptor, fcntl.LOCK_SH)
        return _read_whole(descriptor)
    except (OSError, TimeoutError) as error:
        msg = f"cannot be read: {error}"
        raise UnfitFileError(msg) from error
    finally:
        os.close(descriptor)


def _check_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "neither a file nor a folder"
        msg = f"is {kind}: only files of JSON lines belong here"
        raise UnfitFileError(msg)
    if found.st_size > _MAX_FILE_BYTES:
        msg = f"holds {found.st_size} bytes: no chain has more than {_MAX_FILE_BYTES}"
        raise UnfitFileError(msg)


def _read_whole(descriptor: int) -> bytes:
    chunks = []
    while chunk := os.read(descriptor, 2**20):
        chunks.append(chunk)
    return b"".join(chunks)


def _lock(descriptor: int, path: Path) -> None:
    try:
        _wait_for_lock(descriptor, fcntl.LOCK_EX)
    except TimeoutError as error:
        msg = f"audit log {path}: {error}"
        raise Unavailable(msg) from error
    if os.fstat(descriptor).st_nlink == 0:
        msg = f"audit log {path} was removed while waiting for it"
        raise Unavailable(msg)


def _wait_for_lock(descriptor: int, kind: int) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                msg = f"another process held the lock for {_LOCK_SECONDS:.0f} s"
                raise TimeoutError(msg) from None
            time.sleep(_POLL_SECONDS)
        else:
            return


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
