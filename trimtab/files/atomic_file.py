"""Writes files so that a reader, or a crash, finds the whole content or none of it.

The content goes into a file of another name in the same folder, reaches the disk, and is then put
in place in one step. Devices and pipes are written into: a file in their place would destroy them.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_USUAL_MODE: Final = 0o666
"""Permissions of a new file, before the process's umask."""
_DEVICES: Final = Path("/dev")
_PROCESSES: Final = Path("/proc")
"""Two folders whose symbolic links lead to open files, such as /dev/stdout and /dev/fd/1."""


def write_atomically(path: Path, data: str | bytes, *, mode: int | None = None) -> None:
    """Write a file, or replace it, whole or not at all; text becomes UTF-8.

    Args:
        path: File in a folder that exists; a symbolic link is replaced, not followed. A device or a
            pipe, such as /dev/stdout, is written into.
        data: The whole content.
        mode: Permissions of the file. None keeps those of the file that is replaced, and gives a
            new file the usual ones.

    Raises:
        OSError: The file cannot be written, or is a folder; what was there before is unchanged.
    """
    if is_written_in_place(path):
        _write_into(path, data)
        return
    with _draft(path, data, _mode_of(path) if mode is None else mode) as draft:
        draft.replace(path)


def is_written_in_place(path: Path) -> bool:
    """Return whether a path is something that no file may replace, such as a device or a pipe."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    if not stat.S_ISREG(kind):
        return True
    folder = path.parent.resolve()  # that of /dev/fd is in /proc, and /dev/shm is like any other
    return path.is_symlink() and (folder == _DEVICES or folder.is_relative_to(_PROCESSES))


def create_atomically(path: Path, data: str | bytes, *, mode: int | None = None) -> bool:
    """Write a new file, whole or not at all; return False, and change nothing, if it exists.

    Of several processes that create the same file at once, one succeeds.

    Args:
        path: File in a folder that exists.
        data: The whole content; text becomes UTF-8.
        mode: Permissions of the file; None for the usual ones.

    Raises:
        OSError: The file cannot be written.
    """
    with _draft(path, data, mode) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return False
    return True


def _write_into(path: Path, data: str | bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_encode(data))


@contextmanager
def _draft(path: Path, data: str | bytes, mode: int | None) -> Iterator[Path]:
    """Write a file beside `path` that lasts until the block ends, unless it has been moved by then.

    Errors name `path`, which the caller knows, and not the draft.
    """
    draft = path.parent / f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(draft, flags, _USUAL_MODE if mode is None else mode)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)  # the umask may have taken some of it
            file.write(_encode(data))
            file.flush()
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def _encode(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _mode_of(path: Path) -> int | None:
    """Return a file's permissions, or None if there is no file."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
