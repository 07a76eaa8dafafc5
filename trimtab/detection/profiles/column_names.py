"""Chooses names for columns that events and the registry can carry."""

import re
from collections.abc import Iterable
from typing import Final

from trimtab.contracts.base import NAME_PATTERN

_INVALID_CHARACTERS: Final = re.compile(r"[^\w.:/-]+")
_MAX_LENGTH: Final = 120
"""Characters that are kept of a longer name, which leaves room for a number."""


def choose_valid_names(names: Iterable[str]) -> dict[str, str]:
    """Return a new name for each column whose name does not match `NAME_PATTERN`.

    "length (cm)" becomes "length cm". Columns without a name are not renamed.
    """
    columns = list(names)
    taken = set(columns)
    renamed: dict[str, str] = {}
    for name in columns:
        if not name or name in renamed or re.fullmatch(NAME_PATTERN, name):
            continue
        plain = _INVALID_CHARACTERS.sub(" ", name).strip()[:_MAX_LENGTH] or "column"
        valid, number = plain, 2
        while valid in taken:
            valid, number = f"{plain} {number}", number + 1
        taken.add(valid)
        renamed[name] = valid
    return renamed
