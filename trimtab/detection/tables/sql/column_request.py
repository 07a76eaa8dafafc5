"""One column that a query profiles: its aliases, its bins, and its values as SQL."""

from dataclasses import dataclass
from typing import Final

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import HashRange, compute_hash_range
from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.sql.column_values import (
    render_category_name,
    render_finite_number,
    render_is_missing,
)
from trimtab.detection.tables.sql.statements import quote_name

MAX_MAGNITUDE_TO_SQUARE: Final = 1e100
"""Magnitude above which numbers are scaled down before they are squared."""
DOWNSCALE_FACTOR: Final = 2.0**-600


@dataclass(frozen=True)
class ColumnRequest:
    """A column to profile, and how."""

    index: int
    """Position in its query: makes the column's aliases unique."""
    column: Column
    storage: StorageType | None
    """None where the table has no such column."""
    edges: tuple[float, ...] = ()
    cuts: tuple[int, ...] = ()
    temporary: tuple[int, ...] = ()
    """Edges from a sample only: positions of those that are removed once all rows are counted."""
    hashed_by: HashRange | None = None
    categories: tuple[str, ...] | None = None
    """Categories with a bin of their own; None where they are still to be chosen."""
    others: int = 1
    """Number of bins for all other categories."""
    known: frozenset[str] | None = None
    """Categories that are not new; None where they were too many to keep."""
    tallied: tuple[str, ...] | None = None
    """The only categories to count one by one; None where all are."""
    sketched: bool = True
    assume_finite: bool = False
    """Whether to read numbers without a check for NaN and infinity; the mean or the standard
    deviation shows whether that was wrong."""
    needs_bins: bool = True
    """Whether edges or categories are still to be chosen."""

    @property
    def needs_edges(self) -> bool:
        """Whether numeric edges are still to be chosen."""
        return self.is_numeric and self.needs_bins and self.storage is not None

    @property
    def is_numeric(self) -> bool:
        """Whether the column is profiled as numbers."""
        return self.column.kind is FeatureKind.NUMERIC

    @property
    def scale(self) -> float:
        """Power of two that numbers are multiplied with before their moments are computed."""
        ends = (*self.edges[:1], *self.edges[-1:])
        return (
            DOWNSCALE_FACTOR if any(abs(edge) > MAX_MAGNITUDE_TO_SQUARE for edge in ends) else 1.0
        )

    @property
    def hash_range(self) -> HashRange | None:
        """The range by which numbers are hashed for the distinct count."""
        return self.hashed_by or compute_hash_range(self.edges)

    def alias(self, part: str) -> str:
        """Return this column's SQL alias of a value or aggregate; no table has such a column."""
        return f"trimtab_{part}{self.index}"


def render_number(request: ColumnRequest) -> str:
    """Return SQL of the column as a finite number, NULL where it holds none."""
    if request.storage is None:
        return "CAST(NULL AS DOUBLE)"
    if request.assume_finite and request.storage is StorageType.FLOAT:
        return f"CAST({quote_name(request.column.name)} AS DOUBLE)"
    return render_finite_number(request.column.name, request.storage)


def render_category(request: ColumnRequest) -> str:
    """Return SQL of the column as names of categories, NULL where it holds none."""
    if request.storage is None:
        return "CAST(NULL AS VARCHAR)"
    return render_category_name(request.column.name, request.storage)


def render_presence(request: ColumnRequest) -> str:
    """Return SQL that is NULL where the column holds no value; a condition would cost more."""
    if request.storage is None:
        return "CAST(NULL AS INTEGER)"
    column = quote_name(request.column.name)
    if request.storage is StorageType.FLOAT and not request.assume_finite:
        is_missing = render_is_missing(request.column.name, request.storage)
        return f"CASE WHEN NOT {is_missing} THEN {column} END"
    return column
