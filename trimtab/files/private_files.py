"""Keeps what Trimtab writes from other users of the machine: folders 0700, files 0600."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
"""Takes every permission of a new file from everybody but its owner."""
_FOLDER_MODE: Final = 0o700


def restrict_new_files() -> None:
    """Make every file and folder that this process makes from now on its owner's alone."""
    os.umask(os.umask(PRIVATE_UMASK) | PRIVATE_UMASK)


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Restrict new files while the block runs; the umask belongs to all threads of the process."""
    before = os.umask(PRIVATE_UMASK)
    try:
        os.umask(before | PRIVATE_UMASK)
        yield
    finally:
        os.umask(before)


def make_private_folder(path: Path) -> None:
    """Make a folder with mode 0700, or take from it what others may do with it, if it is ours."""
    path.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    _restrict(path)


def restrict_files(paths: Iterable[Path]) -> None:
    """Take from existing files, if they are ours, what others may do with them."""
    for path in paths:
        _restrict(path)


def _restrict(path: Path) -> None:
    with contextlib.suppress(OSError):  # gone meanwhile, or another user's: theirs to restrict
        found = path.lstat()
        if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode):
            mode = stat.S_IMODE(found.st_mode)
            if mode & PRIVATE_UMASK:
                path.chmod(mode & ~PRIVATE_UMASK)
