"""Opens tables that are in memory, or behind somebody's DuckDB connection, without copying them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trimtab.detection.tables.files import (
    DuckTable,
    UnreadableError,
    describe,
    open_connection,
)
from trimtab.detection.tables.sql.statements import quote_name

if TYPE_CHECKING:
    import duckdb

_VIEW: Final = "trimtab_memory_table"
"""What a query calls the table."""


@dataclass(frozen=True)
class MemoryTable:
    """A table that is opened as often as it is asked for."""

    open: Callable[[], AbstractContextManager[DuckTable]]


def make_arrow_table(table: Any) -> MemoryTable:  # noqa: ANN401 - Arrow ships no types
    """Return a table over the memory of a `pyarrow.Table`."""

    @contextmanager
    def open_arrow() -> Iterator[DuckTable]:
        with open_connection() as connection:
            connection.register(_VIEW, table)
            try:
                yield _describe_view(connection, name="in memory")
            finally:
                connection.unregister(_VIEW)

    return MemoryTable(open_arrow)


def make_relation_table(relation: "duckdb.DuckDBPyRelation") -> MemoryTable:
    """Return a table over a DuckDB relation; its own connection answers, in one thread."""

    @contextmanager
    def open_relation() -> Iterator[DuckTable]:
        import duckdb  # noqa: PLC0415 - loaded by who made the relation

        try:
            yield _describe_view(_RelationConnection(relation), name="of DuckDB")
        except duckdb.Error as error:
            said = " ".join(str(error).split())
            msg = f"DuckDB cannot answer a query on the relation: {said:.300}"
            raise UnreadableError(msg) from error

    return MemoryTable(open_relation)


@dataclass(frozen=True)
class _RelationConnection:
    """Runs queries on a relation as a connection does, and changes nothing in its database."""

    relation: "duckdb.DuckDBPyRelation"

    def execute(self, query: str) -> Any:  # noqa: ANN401 - a relation, read like a cursor
        return self.relation.query(_VIEW, query)


def _describe_view(connection: Any, *, name: str) -> DuckTable:  # noqa: ANN401 - either of two
    source = quote_name(_VIEW)
    return DuckTable(connection, source, describe(connection, source), name, columnar=True)
