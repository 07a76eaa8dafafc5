"""What is to be counted of a table, and what was: the same for every engine."""

from dataclasses import dataclass
from datetime import datetime

from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile
from trimtab.detection.tables.aggregates import Asked
from trimtab.detection.tables.column_types import Stored
from trimtab.detection.tables.time_column import Span


@dataclass(frozen=True)
class Plan:
    """How columns are counted."""

    like: WindowProfile | None = None
    """A profile over whose bins is counted."""
    span: Span | None = None
    sketches: bool = True

    def earlier(self, column: Column) -> ColumnProfile | None:
        """The column's earlier profile, where it was of the same kind."""
        before = self.like.find(column.name) if self.like else None
        return before if before and before.column.kind is column.kind else None

    def asked(self, column: Column, place: int, stored: Stored | None) -> Asked:
        """One column, over the bins of the earlier profile where it knows the column."""
        before = self.earlier(column)
        if before is None:
            return Asked(place, column, stored, sketched=self.sketches)
        return Asked(
            place,
            column,
            stored,
            edges=before.edges,
            cuts=before.cuts,
            categories=before.categories,
            others=before.others,
            hashed_by=before.hashed_by,
            seen=None if before.known is None else frozenset(before.known),
            sketched=self.sketches,
            wants_bins=False,
        )


@dataclass(frozen=True)
class Counted:
    """What a table holds."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    filled: tuple[str, ...] = ()
    duplicates: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
