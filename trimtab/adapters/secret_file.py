"""Keeps a secret in a file of its own: made on first use, once, however many ask at once."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; if there is none, what `make` gives, kept with mode 0600.

    Of several that come at once, one makes the file and the others read it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _offer(path, make())
    return path.read_bytes()


def _offer(path: Path, content: bytes) -> None:
    """Put a whole file in place unless somebody else was first."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)  # noqa: PTH108 - mkstemp speaks in strings
