"""What can be compared, and how errors and results name it."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from trimtab.comparison.errors import InvalidTableError
from trimtab.detection.tables.duckdb_table import QueryableTable
from trimtab.detection.tables.memory_tables import ArrowStream

if TYPE_CHECKING:
    import duckdb
    import ibis
    import pandas as pd


TableLike: TypeAlias = Union[
    str, PathLike[str], "pd.DataFrame", "duckdb.DuckDBPyRelation", "ibis.Table", ArrowStream
]
"""A path or URL, a pandas, polars or Arrow table, a DuckDB relation or an Ibis table."""


class TableSource(NamedTuple):
    """A table that was found."""

    relation: "Path | Sequence[Path] | QueryableTable | ibis.Table"
    side: str
    """The argument that it was given as: "reference", "current" or "table"."""
    name: str
    """Its address, without a password, or what it is, such as "pandas data frame"."""
    label: str
    """Its name as errors show it."""
    identity: object
    """Equal for the same table."""
    files: tuple[Path, ...] = ()
    """The files that it is read from; none if it is on a server or in memory."""

    def make_error(self, fault: str) -> InvalidTableError:
        """Return the error that this table cannot be used, with the remedy in `fault`."""
        return InvalidTableError(fault, subject=self.side, value=self.label)
