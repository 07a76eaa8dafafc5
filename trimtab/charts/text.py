"""Formats lists for people."""

from collections.abc import Sequence
from typing import Final

NAMES_SHOWN: Final = 4
"""Names that a line lists."""


def join_names(names: Sequence[str], *, limit: int = NAMES_SHOWN) -> str:
    """Return the first names, joined by commas, and how many more there are."""
    shown, more = ", ".join(names[:limit]), len(names) - limit
    return f"{shown} and {more} more" if more > 0 else shown
