"""Tables in memory, or behind somebody's DuckDB connection, which are queried without a copy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from trimtab.detection.tables.duckdb_database import open_connection
from trimtab.detection.tables.duckdb_table import (
    DuckTable,
    QueryableTable,
    UnreadableError,
    read_column_types,
)
from trimtab.detection.tables.sql.statements import quote_name

if TYPE_CHECKING:
    import duckdb
    import ibis

_VIEW: Final = "trimtab_memory_table"
"""What a query calls the table."""
_MAX_MESSAGE_LENGTH: Final = 300
"""Characters of DuckDB's error that are shown."""

_T = TypeVar("_T")


class ArrowStream(Protocol):
    """A table that exports Arrow's C stream, as those of polars and pyarrow do."""

    def __arrow_c_stream__(self, requested_schema: object = None, /) -> object:
        """Return the table as a stream of record batches."""


@dataclass(frozen=True)
class ArrowStreamOnly:
    """A table of which DuckDB sees nothing but its Arrow stream, which needs no other package."""

    table: "ArrowStream"

    def __arrow_c_stream__(self, requested_schema: object = None, /) -> object:
        """Return the table as a stream of record batches."""
        return self.table.__arrow_c_stream__(requested_schema)


@dataclass(frozen=True)
class RegisteredTable(QueryableTable):
    """A table in memory that DuckDB reads in place: of pandas, of Arrow, or an Arrow stream."""

    table: object

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table; raise `UnreadableError` if DuckDB cannot."""
        import duckdb  # noqa: PLC0415 - who handles profiles only does not need it

        with open_connection() as connection:
            try:
                connection.register(_VIEW, self.table)
                return run(_describe_view(connection, name="in memory"))
            except duckdb.Error as error:
                said = _shorten(error)
                msg = f"DuckDB cannot read a column of it: {said}: convert or drop that column"
                raise UnreadableError(msg) from error
            finally:
                connection.unregister(_VIEW)


@dataclass(frozen=True)
class RelationTable(QueryableTable):
    """A DuckDB relation: its own connection answers, in one thread, and is not changed."""

    relation: "duckdb.DuckDBPyRelation"

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table; raise `UnreadableError` if DuckDB cannot."""
        with _translate_relation_errors():
            return run(_describe_view(self, name="of DuckDB"))

    def read_names(self) -> list[str]:
        """Return the columns' names, twice if two have one; raise `UnreadableError`."""
        with _translate_relation_errors():
            return list(self.relation.columns)

    def execute(self, query: str) -> Any:  # noqa: ANN401 - a relation, read like a cursor
        """Return the result of SQL on the relation, as a connection does."""
        return self.relation.query(_VIEW, query)


@dataclass(frozen=True)
class IbisTable(QueryableTable):
    """A table of an Ibis connection to DuckDB, which answers in one thread."""

    table: "ibis.Table"

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table."""
        backend = self.table.get_backend()
        source = f"({backend.compile(self.table)})"
        types = read_column_types(backend.con, source)
        return run(DuckTable(backend.con, source, types, "of DuckDB"))


@contextmanager
def _translate_relation_errors() -> Iterator[None]:
    import duckdb  # noqa: PLC0415 - whoever made the relation has loaded it

    try:
        yield
    except duckdb.Error as error:
        msg = f"DuckDB cannot answer a query on the relation: {_shorten(error)}"
        raise UnreadableError(msg) from error


def _shorten(error: Exception) -> str:
    return " ".join(str(error).split())[:_MAX_MESSAGE_LENGTH]


def _describe_view(connection: Any, *, name: str) -> DuckTable:  # noqa: ANN401 - or a relation
    source = quote_name(_VIEW)
    return DuckTable(connection, source, read_column_types(connection, source), name, columnar=True)
