"""Calls columns by names that events and the registry can carry."""

import re
from collections.abc import Iterable
from typing import Final

from trimtab.contracts.base import NAME_PATTERN

_INVALID_CHARACTERS: Final = re.compile(r"[^\w.:/-]+")
_MAX_LENGTH: Final = 120
"""Signs that are kept of a longer name, which leaves room to tell two apart."""


def choose_valid_names(names: Iterable[str]) -> dict[str, str]:
    """What each column is to be called whose name holds other signs than `NAME_PATTERN` allows.

    "length (cm)" is called "length cm". Columns without a name are not in it.
    """
    there = list(names)
    taken, found = set(there), {}
    for name in there:
        if not name or name in found or re.fullmatch(NAME_PATTERN, name):
            continue
        plain = _INVALID_CHARACTERS.sub(" ", name).strip()[:_MAX_LENGTH] or "column"
        new, place = plain, 2
        while new in taken:
            new, place = f"{plain} {place}", place + 1
        taken.add(new)
        found[name] = new
    return found
