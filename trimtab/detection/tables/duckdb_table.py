"""A table that DuckDB reads, wherever it is, and the error about one that it cannot read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from trimtab.detection.tables.column_types import StorageType, parse_duckdb_type
from trimtab.detection.tables.duckdb_database import open_connection
from trimtab.detection.tables.sql.statements import build_select

MAX_PARALLEL_QUERIES: Final = 2
"""Queries at the same time; each has some 40 MB of numbers in memory."""

Part = TypeVar("Part")
Result = TypeVar("Result")


class UnreadableError(ValueError):
    """A table that cannot be read, with the remedy."""

    has_mixed_types = False
    """Whether a value did not fit its column's type: with another one the table may be readable."""
    has_short_lines = False
    """Whether a line has fewer values than there are names: padded the table may be readable."""


class SqlResult(Protocol):
    """Rows that a query returned, as DuckDB has them."""

    @property
    def description(self) -> Sequence[Any]:
        """A tuple for each column, beginning with its name."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""

    def fetchnumpy(self) -> dict[str, Any]:
        """Return the values by column, as arrays."""


class SqlConnection(Protocol):
    """What runs queries as a `duckdb.DuckDBPyConnection` does."""

    def execute(self, query: str, /) -> SqlResult:
        """Run a query and return its result."""


@dataclass(frozen=True)
class DuckTable:
    """A table that DuckDB reads."""

    connection: SqlConnection
    source: str
    """SQL of the table, as it stands after FROM."""
    types: Mapping[str, str]
    """DuckDB's name of the type, by column."""
    name: str
    """The table's name in messages."""
    columnar: bool = False
    """Whether a column is read without the others."""
    shared: bool = False
    """Whether every connection of `open_connection` can read the table."""

    def stored(self, column: str) -> StorageType | None:
        """Return how a column is stored; None if there is no such column."""
        return parse_duckdb_type(self.types[column]) if column in self.types else None


class QueryableTable(ABC):
    """A table that answers queries of DuckDB, as often as it is asked."""

    @abstractmethod
    def query(self, run: Callable[[DuckTable], Result]) -> Result:
        """Return what `run` returns for the table; raise `UnreadableError` if it cannot be read."""


def read_column_types(connection: SqlConnection, source: str) -> dict[str, str]:
    """Return DuckDB's name of the type by column; `source` is SQL that stands after FROM."""
    query = f"DESCRIBE {build_select('*', source)}"
    return {name: kind for name, kind, *_ in connection.execute(query).fetchall()}


def query_in_parallel(
    table: DuckTable, query: Callable[[DuckTable, Part], Result], parts: Iterable[Part]
) -> Iterator[Result]:
    """Yield the query's result for each part in turn, two at a time if the table can be shared.

    DuckDB itself uses one processor for tables of fewer than some 100,000 rows.
    """
    if not table.shared:
        yield from (query(table, part) for part in parts)
        return

    def query_part(part: Part) -> Result:
        with open_connection() as connection:
            return query(replace(table, connection=connection), part)

    with ThreadPoolExecutor(MAX_PARALLEL_QUERIES) as pool:
        yield from pool.map(query_part, parts)
