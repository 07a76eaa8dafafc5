"""Finds the name that was probably meant by a wrong one, for the "did you mean" of messages."""

import difflib
from collections.abc import Iterable
from typing import Final

SIMILARITY: Final = 0.6
"""Share of matching characters (`difflib` ratio) from which a name is suggested."""


def suggest_name(wrong: str, known: Iterable[str], *, similarity: float = SIMILARITY) -> str:
    """Return the known name that is most like the wrong one, ignoring case; "" if none is."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(wrong.casefold(), folded, n=1, cutoff=similarity)
    return folded[found[0]] if found else ""
