"""Writes files so that a reader, or a crash, finds the whole content or none of it.

The content goes into a file of another name in the same folder, reaches the disk, and is then put
in place in one step.
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


def write_atomically(path: Path, data: str | bytes, *, mode: int | None = None) -> None:
    """Write a file, or replace it, whole or not at all; text becomes UTF-8.

    Args:
        path: File in a folder that exists; a symbolic link is replaced, not followed.
        data: The whole content.
        mode: Permissions of the file. None keeps those of the file that is replaced, and gives a
            new file the usual ones.

    Raises:
        OSError: The file cannot be written; what was there before is unchanged.
    """
    with _draft(path.parent, data, _mode_of(path) if mode is None else mode) as draft:
        draft.replace(path)


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
    with _draft(path.parent, data, mode) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return False
    return True


@contextmanager
def _draft(folder: Path, data: str | bytes, mode: int | None) -> Iterator[Path]:
    """Write a file that lasts until the block ends, unless it has been moved by then."""
    draft = folder / f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(draft, flags, _USUAL_MODE if mode is None else mode)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)  # the umask may have taken some of it
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _mode_of(path: Path) -> int | None:
    """Return a file's permissions, or None if there is no file."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
