"""Turns a name into a file name: one to one, safe in every folder, and readable.

Names may hold ":", "/", spaces, dots and letters of any script, in upper and lower case.
"""

import hashlib
import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_MAX_READABLE_LENGTH: Final = 48


def slug(name: str) -> str:
    """Return the name itself if it is plain, else its readable part, "~" and its digest.

    A plain name holds no "~" and no capitals, so two names never share a file, not even where
    the file system ignores case.
    """
    if _PLAIN.fullmatch(name):
        return name
    readable = _UNSAFE.sub("-", name.lower()).strip("-")[:_MAX_READABLE_LENGTH]
    return f"{readable}~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
