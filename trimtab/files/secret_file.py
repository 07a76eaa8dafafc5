"""Keeps a secret in a file of its own: made on first use, once, however many ask at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from trimtab.files.atomic_file import create_atomically
from trimtab.files.private_files import private_umask

_SECRET_MODE: Final = 0o600


def read_or_create_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what the file holds; if there is none, make the secret and keep it with mode 0600.

    Of several processes that come at once, one makes the file and the others read it.
    """
    if not path.exists():
        with private_umask():  # the folders above get no mode
            path.parent.mkdir(parents=True, exist_ok=True)
        create_atomically(path, make(), mode=_SECRET_MODE)
    return path.read_bytes()
