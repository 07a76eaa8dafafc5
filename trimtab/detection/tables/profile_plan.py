"""How a table's columns are profiled, and the counts that result: the same for every engine."""

from dataclasses import dataclass
from datetime import datetime

from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.sql.column_request import ColumnRequest


@dataclass(frozen=True)
class ProfilePlan:
    """How columns are profiled."""

    like: WindowProfile | None = None
    """A profile whose bins are used; None to choose bins from the table itself."""
    where: RowFilter | None = None
    """The rows that are profiled; None for all."""
    sketches: bool = True
    """Whether numeric columns get a sketch of their distinct values."""

    def find_reference(self, column: Column) -> ColumnProfile | None:
        """Return the column's profile in `like`, or None if it has none of the same kind."""
        reference = self.like.find(column.name) if self.like else None
        return reference if reference and reference.column.kind is column.kind else None

    def request_column(
        self, column: Column, index: int, storage: StorageType | None
    ) -> ColumnRequest:
        """Return the request for a column, with the bins of its reference profile if it has one."""
        reference = self.find_reference(column)
        if reference is None:
            return ColumnRequest(index, column, storage, sketched=self.sketches)
        return ColumnRequest(
            index,
            column,
            storage,
            edges=reference.edges,
            cuts=reference.cuts,
            categories=reference.categories,
            others=reference.others,
            hashed_by=reference.hashed_by,
            known=None if reference.known is None else frozenset(reference.known),
            sketched=self.sketches,
            needs_bins=False,
        )


@dataclass(frozen=True)
class TableCounts:
    """What was counted in a table."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    filled: tuple[str, ...] = ()
    """Columns that hold any value, monitored or not."""
    duplicates: int = 0
    """Rows that repeat an earlier one in every column."""
    oldest: datetime | None = None
    newest: datetime | None = None
