"""Formats lists for people."""

from collections.abc import Sequence
from typing import Final

NAMES_SHOWN: Final = 4
"""Names that a line lists."""
MAX_NAME_LENGTH: Final = 80
"""Characters of a name that a line shows."""


def join_names(names: Sequence[str], *, limit: int = NAMES_SHOWN) -> str:
    """Return the first names, shortened and joined by commas, and how many more there are."""
    shown = ", ".join(f"{name:.{MAX_NAME_LENGTH}}" for name in names[:limit])
    more = len(names) - limit
    return f"{shown} and {more:,} more" if more > 0 else shown
