"""Tables in memory, or behind somebody's DuckDB connection, which are queried without a copy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from trimtab.detection.tables.duckdb_database import open_connection
from trimtab.detection.tables.duckdb_table import (
    DuckTable,
    QueryableTable,
    SqlConnection,
    SqlResult,
    UnreadableError,
    read_column_types,
)
from trimtab.detection.tables.engine_messages import format_first_line
from trimtab.detection.tables.sql.statements import build_select, quote_name

if TYPE_CHECKING:
    import duckdb
    import ibis

_VIEW: Final = "trimtab_memory_table"
"""What a query calls the table."""

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
        remedy = "convert or drop that column"
        with open_connection() as connection, _translate_errors(remedy, self._find_culprit):
            connection.register(_VIEW, self.table)
            try:
                return run(_describe_view(connection, name="in memory"))
            finally:
                connection.unregister(_VIEW)

    def _find_culprit(self) -> str:
        """Return the first column that DuckDB cannot read; empty if it is none of them alone."""
        table: Any = self.table.table if isinstance(self.table, ArrowStreamOnly) else self.table
        names = getattr(table, "column_names", None) or getattr(table, "columns", None)
        if not isinstance(names, list) or not hasattr(table, "select"):
            return ""
        return next((name for name in names if not _is_readable(table.select([name]))), "")


@dataclass(frozen=True)
class RelationTable(QueryableTable):
    """A DuckDB relation: its own connection answers, in one thread, and is not changed."""

    relation: "duckdb.DuckDBPyRelation"

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table; raise `UnreadableError` if DuckDB cannot."""
        with _translate_errors("correct the relation"):
            return run(_describe_view(self, name="of DuckDB"))

    def read_names(self) -> list[str]:
        """Return the columns' names, twice if two have one; raise `UnreadableError`."""
        with _translate_errors("correct the relation"):
            return list(self.relation.columns)

    def execute(self, query: str, /) -> SqlResult:
        """Return the result of SQL on the relation, as a connection does."""
        return cast("SqlResult", self.relation.query(_VIEW, query))


@dataclass(frozen=True)
class IbisTable(QueryableTable):
    """A table of an Ibis connection to DuckDB, which answers in one thread."""

    table: "ibis.Table"

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table; raise `UnreadableError` if DuckDB cannot."""
        with _translate_errors("correct the table or its connection"):
            backend = self.table.get_backend()
            source = f"({backend.compile(self.table)})"
            types = read_column_types(backend.con, source)
            return run(DuckTable(backend.con, source, types, "of DuckDB"))


def _is_readable(table: object) -> bool:
    import duckdb  # noqa: PLC0415 - a tenth of a second, and many import this module

    with open_connection() as connection:
        try:
            connection.register(_VIEW, ArrowStreamOnly(cast("ArrowStream", table)))
            connection.execute(build_select("COUNT(COLUMNS(*))", quote_name(_VIEW))).fetchall()
        except duckdb.Error:
            return False
        finally:
            connection.unregister(_VIEW)
    return True


@contextmanager
def _translate_errors(remedy: str, find_culprit: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Raise DuckDB's errors as `UnreadableError`, with the column that causes them if it is known.

    `find_culprit` returns that column's name.
    """
    import duckdb  # noqa: PLC0415 - a tenth of a second, and many import this module

    try:
        yield
    except UnicodeEncodeError as error:  # half of a character, as Python reads broken bytes
        half = error.object[error.start : error.end]
        msg = f"a text holds {half!r}, which is no character: replace it"
        raise UnreadableError(msg) from error
    except duckdb.Error as error:
        culprit = find_culprit()
        what = f"column {culprit!r}" if culprit else "it"
        msg = f"DuckDB cannot read {what}: {format_first_line(error)}: {remedy}"
        raise UnreadableError(msg) from error


def _describe_view(connection: SqlConnection, *, name: str) -> DuckTable:
    source = quote_name(_VIEW)
    return DuckTable(connection, source, read_column_types(connection, source), name, columnar=True)
