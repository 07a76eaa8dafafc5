"""The rows of a table that are profiled: those of a range of time."""

from datetime import datetime
from typing import NamedTuple


class RowFilter(NamedTuple):
    """Rows whose time lies in [start, end); None for no bound. Naive times are read as UTC."""

    timestamp: str
    """Column with the time of each row: a date or a timestamp, or ISO 8601 text in a file."""
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a bound is missing."""
        return self.start is None or self.end is None

    @property
    def has_no_bound(self) -> bool:
        """Whether both bounds are missing."""
        return self.start is None and self.end is None
