"""Queries a table in an engine that Ibis reaches, such as PostgreSQL or Spark, in DuckDB's SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.engine_messages import format_engine_message
from trimtab.detection.tables.row_filter import RowFilter
from trimtab.detection.tables.sql.statements import build_select, format_double
from trimtab.detection.tables.utc_times import convert_to_utc

if TYPE_CHECKING:
    import ibis

TABLE_ALIAS: Final = "trimtab_table"
"""Name of the table in a query."""
_TRANSIENT_ERROR_NAMES: Final = frozenset(
    {
        "ConnectionError", "IOException", "InterfaceError", "OperationalError", "Py4JNetworkError",
        "RetryError", "ServerError", "TimeoutError", "TooManyRequests",
    }
)  # fmt: skip
"""Classes of errors that may be gone at the next try: Python's, PEP 249's, DuckDB's (a file locked
by a writer), Spark's and Google's."""
_POSTGRES: Final = "postgres"
_POSTGRES_NUMBER_CODES: Final = frozenset({20, 21, 23, 700, 701, 1700})
"""PostgreSQL's codes of its types that can be cast to DOUBLE PRECISION."""
_OVERSAMPLING_FACTOR: Final = 1.1
"""How many times the wanted rows a random sample asks for, because its size varies."""


class EngineError(UnreadableError):
    """An error that an engine returned."""

    def __init__(self, error: BaseException, engine: str) -> None:
        super().__init__(f"the engine ({engine}) says: {format_engine_message(error)}")
        self.transient = is_transient_error(error)
        """Whether the next try may succeed."""


@contextmanager
def translate_engine_errors(table: "ibis.Table") -> Iterator[None]:
    """Raise an `EngineError` for whatever the table's engine raises inside."""
    try:
        yield
    except Exception as error:
        raise EngineError(error, str(table.get_backend().name)) from error


def is_transient_error(error: BaseException) -> bool:
    """Return whether an engine's error is about its connection rather than about the query."""
    return any(each.__name__ in _TRANSIENT_ERROR_NAMES for each in type(error).__mro__)


@dataclass(frozen=True)
class EngineTable:
    """A table in an engine."""

    table: "ibis.Table"
    types: Mapping[str, StorageType]
    uuids: frozenset[str] = frozenset()
    """Text columns that are stored as UUIDs."""

    @cached_property
    def rows(self) -> int:
        """The number of rows; raises `EngineError`."""
        return int(self.query(build_select("COUNT(*) AS n", TABLE_ALIAS))[0]["n"])

    def render_sample(self, columns: Sequence[str], rows: int) -> str:
        """Return a SELECT of these columns from about `rows` random rows, or from all rows."""
        share = _OVERSAMPLING_FACTOR * rows / max(self.rows, 1)
        condition = f"RANDOM() < {format_double(share)}" if self.is_sampled(rows) else ""
        return build_select(columns, TABLE_ALIAS, where=condition)

    def is_sampled(self, rows: int) -> bool:
        """Return whether a sample of about `rows` rows leaves any row out."""
        return self.rows > _OVERSAMPLING_FACTOR * rows

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query in DuckDB's dialect, by column; raise `EngineError`."""
        with translate_engine_errors(self.table):
            return self._query(sql)

    def _query(self, sql: str) -> list[dict[str, Any]]:
        import sqlglot  # noqa: PLC0415 - comes with Ibis, for its tables only

        backend = self.table.get_backend()
        native = sqlglot.transpile(sql, read="duckdb", write=backend.dialect)[0]
        result = backend.raw_sql(f"WITH {TABLE_ALIAS} AS ({backend.compile(self.table)}) {native}")
        if hasattr(result, "collect"):  # a Spark data frame
            return [row.asDict() for row in result.collect()]
        names = [each[0] for each in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        if backend.name != "duckdb":  # whose result is the connection itself
            result.close()
        return rows

    @property
    def has_width_bucket(self) -> bool:
        """Whether the engine can find the bin of a value in an array of edges."""
        return str(self.table.get_backend().name) == _POSTGRES


def open_engine_table(table: "ibis.Table") -> EngineTable:
    """Return an Ibis table with its storage types; raise `EngineError`.

    Columns of lists, structs, shapes and the like hold 1 wherever they hold a value.
    """
    schema, engine = table.schema(), str(table.get_backend().name)
    types = {name: _parse_ibis_type(kind, engine) for name, kind in schema.items()}
    table = _mark_presence(table, [n for n, kind in types.items() if kind is StorageType.OTHER])
    if engine == _POSTGRES:
        false_numbers = _find_false_numbers(table, types)
        types |= dict.fromkeys(false_numbers, StorageType.OTHER)
        table = _mark_presence(table, false_numbers)
    uuids = frozenset(name for name, kind in schema.items() if kind.is_uuid())
    return EngineTable(table, types, uuids)


def filter_engine_rows(table: EngineTable, where: RowFilter | None) -> EngineTable:
    """Return the table with the rows of the range only; naive times are read as UTC.

    Raises:
        UnreadableError: There is no such column, or it does not hold dates or timestamps.
    """
    if where is None:
        return table
    name = where.timestamp
    if name not in table.types:
        msg = f"the table has no column {name!r}; its columns are {', '.join(table.types)}"
        raise UnreadableError(msg)
    column = table.table[name]
    kind = column.type()
    if not (kind.is_date() or kind.is_timestamp()):
        msg = (
            f"column {name!r} is stored as {kind}: a table in an engine needs a column of dates or"
            " timestamps there, such as one of a view that casts it"
        )
        raise UnreadableError(msg)
    if kind.is_date():
        column = column.cast("timestamp")
    filtered = table.table
    aware = getattr(kind, "timezone", None) is not None
    if where.start is not None:
        filtered = filtered.filter(column >= _make_comparable(where.start, aware=aware))
    if where.end is not None:
        filtered = filtered.filter(column < _make_comparable(where.end, aware=aware))
    return replace(table, table=filtered)


def _mark_presence(table: "ibis.Table", names: Sequence[str]) -> "ibis.Table":
    """Return the table with 1 wherever these columns hold a value.

    Ibis reads some types by functions of PostGIS, which may not be installed, and some not at all.
    """
    if not names:
        return table
    return table.mutate(**{name: table[name].notnull().ifelse(1, None) for name in names})


def _find_false_numbers(table: "ibis.Table", types: Mapping[str, StorageType]) -> list[str]:
    """Return columns that are numbers for Ibis and not for PostgreSQL, such as money."""
    backend = table.get_backend()
    with translate_engine_errors(table):
        found = backend.raw_sql(backend.compile(table.limit(0)))
    codes = {each.name: each.type_code for each in found.description}
    found.close()
    numbers = (StorageType.INTEGER, StorageType.FLOAT, StorageType.DECIMAL)
    return [
        name
        for name, kind in types.items()
        if kind in numbers and codes[name] not in _POSTGRES_NUMBER_CODES
    ]


def _parse_ibis_type(kind: "ibis.DataType", engine: str) -> StorageType:
    fitting = {
        StorageType.BOOLEAN: kind.is_boolean(),
        StorageType.INTEGER: kind.is_integer(),
        # PostgreSQL's decimals may be NaN and infinite
        StorageType.FLOAT: kind.is_floating() or (kind.is_decimal() and engine == _POSTGRES),
        StorageType.DECIMAL: kind.is_decimal(),
        StorageType.TEXT: kind.is_string() or kind.is_uuid(),
        StorageType.TIME: kind.is_temporal() or kind.is_interval(),
    }
    return next((storage for storage, fits in fitting.items() if fits), StorageType.OTHER)


def _make_comparable(time: datetime, *, aware: bool) -> datetime:
    utc = convert_to_utc(time)
    return utc if aware else utc.replace(tzinfo=None)
