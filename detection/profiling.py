"""Profiles of tables that are not in memory, by aggregate queries: files, databases, warehouses.

Files (Parquet, CSV, gzipped CSV) go straight to DuckDB, anything else is an Ibis table, and what an
engine counts is the same everywhere. Neither Ibis nor pandas is imported unless one is handed in.
"""

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from detection.columns import Column
from detection.profile import WindowProfile

if TYPE_CHECKING:
    import ibis

Path = str | PathLike[str]
Relation = "Path | Sequence[Path] | ibis.Table"
"""One file, several files with the same columns (partitions), or an Ibis table."""


class Span(NamedTuple):
    """Rows whose time lies in [start, end); None for no bound. Naive times are read as UTC."""

    timestamp: str
    """Column with the time of each row: a date or a timestamp, or ISO 8601 text in a file."""
    start: datetime | None = None
    end: datetime | None = None


class Inferred(NamedTuple):
    """What a table offers to be watched."""

    columns: tuple[Column, ...]
    """In the table's order."""
    left_out: dict[str, str]
    """Column to the reason why it is not watched; what was to be ignored is not mentioned."""


def infer_columns(
    relation: "Relation", ignore: Sequence[str] = (), *, target: str | None = None
) -> Inferred:
    """The columns of a table with their kinds, judged by their stored types.

    Text of which nine in ten values read as numbers is numeric (files only). Times, lists and
    structs are left out with a reason. Raises `UnreadableError`.
    """
    raise NotImplementedError


def profile_relation(
    relation: "Relation",
    columns: Sequence[Column],
    *,
    like: WindowProfile | None = None,
    where: Span | None = None,
    sketches: bool = True,
    model: str = "table",
) -> WindowProfile:
    """Count all columns in one select, over the bins of `like` or over bins of its own.

    `columns` that the table lacks have no value in any row. Bins and categories of a table of more
    than 20,000 rows are taken from a sample; the counts are exact. Without `sketches` numeric
    columns count their different values by bins alone, which is twice as fast. The window is that
    of `where`, or from the oldest row to just after the newest; without any time it is the day of
    1 January 1970. Safe to call from several threads. Raises `UnreadableError`.
    """
    raise NotImplementedError


class UnreadableError(ValueError):
    """A table that cannot be read, with the remedy."""
