"""Turns a name into a file name: one to one, safe in every folder, and readable.

Names may hold ":", "/", spaces, dots and letters of any script, in upper and lower case.
"""

import hashlib
import re

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_FOREIGN = re.compile(r"[^a-z0-9]+")
_READABLE = 48


def slug(name: str) -> str:
    """The name itself where it is a plain one, or else its readable part, "~" and its digest.

    A plain name holds no "~" and no capitals, so two names never share a file, not even where
    the file system does not tell capitals apart.
    """
    if _PLAIN.fullmatch(name):
        return name
    readable = _FOREIGN.sub("-", name.lower()).strip("-")[:_READABLE]
    return f"{readable}~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
