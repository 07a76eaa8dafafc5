"""Asks a table in an engine that Ibis reaches, such as PostgreSQL or Spark, in DuckDB's SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from trimtab.detection.tables.column_types import Stored, double
from trimtab.detection.tables.files import UnreadableError
from trimtab.detection.tables.profile_plan import Plan

if TYPE_CHECKING:
    import ibis

TABLE: Final = "trimtab_table"
"""What a query calls the table."""
_AWAY: Final = frozenset(
    {
        "ConnectionError", "IOException", "InterfaceError", "OperationalError", "Py4JNetworkError",
        "RetryError", "ServerError", "TimeoutError", "TooManyRequests",
    }
)  # fmt: skip
"""Classes of errors that may be gone the next time: Python's, PEP 249's, DuckDB's (locked by who
writes), Spark's and Google's."""
_POSTGRES: Final = "postgres"
_NUMBERS: Final = frozenset({20, 21, 23, 700, 701, 1700})
"""PostgreSQL's own numbers of its types that can be cast to DOUBLE PRECISION."""
_GENEROUS: Final = 1.1
"""By how much more a random sample is asked for than is wanted."""
_SAID: Final = 300
"""Characters of an engine's error that are passed on."""


class EngineError(UnreadableError):
    """What an engine says no to."""

    def __init__(self, error: BaseException, engine: str) -> None:
        said = " ".join(str(error).split())[:_SAID] or type(error).__name__
        super().__init__(f"the engine ({engine}) says: {said}")
        self.passing = may_pass(error)
        """Whether trying again may help."""


@contextmanager
def told(table: "ibis.Table") -> Iterator[None]:
    """Whatever the table's engine raises becomes an `EngineError`."""
    try:
        yield
    except Exception as error:
        raise EngineError(error, str(table.get_backend().name)) from error


def may_pass(error: BaseException) -> bool:
    """Whether an engine's error speaks of the way to it, rather than of what it was asked."""
    return any(each.__name__ in _AWAY for each in type(error).__mro__)


@dataclass(frozen=True)
class EngineTable:
    """A table in an engine."""

    table: "ibis.Table"
    types: Mapping[str, Stored]
    uuids: frozenset[str] = frozenset()
    """Columns of texts that are stored as UUIDs."""

    @cached_property
    def rows(self) -> int:
        """How many rows there are; raises `EngineError`."""
        return int(self.ask(f"SELECT COUNT(*) AS n FROM {TABLE}")[0]["n"])  # noqa: S608 - our own text

    def sample(self, what: str, rows: int) -> str:
        """A select of these columns in about so many rows drawn at random, or in all."""
        share = _GENEROUS * rows / max(self.rows, 1)
        some = f" WHERE RANDOM() < {double(share)}" if self.is_sampled(rows) else ""
        return f"SELECT {what} FROM {TABLE}{some}"  # noqa: S608 - quoted names

    def is_sampled(self, rows: int) -> bool:
        """Whether a sample of so many rows is not all of them."""
        return self.rows > _GENEROUS * rows

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows that a query, in DuckDB's dialect, answers; raises `EngineError`."""
        with told(self.table):
            return self._ask(query)

    def _ask(self, query: str) -> list[dict[str, Any]]:
        import sqlglot  # noqa: PLC0415 - comes with Ibis, for its tables only

        backend = self.table.get_backend()
        native = sqlglot.transpile(query, read="duckdb", write=backend.dialect)[0]
        found = backend.raw_sql(f"WITH {TABLE} AS ({backend.compile(self.table)}) {native}")
        if hasattr(found, "collect"):  # a Spark data frame
            return [row.asDict() for row in found.collect()]
        names = [each[0] for each in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        if backend.name != "duckdb":  # whose answer is the connection itself
            found.close()
        return rows

    @property
    def bisects(self) -> bool:
        """Whether the engine finds a value's place in an array by itself."""
        return str(self.table.get_backend().name) == _POSTGRES


def engine_table(table: "ibis.Table") -> EngineTable:
    """An Ibis table with what its types mean; raises `EngineError`.

    Of lists, structs, shapes and the like there is only told whether a row has one, by 1.
    """
    schema, engine = table.schema(), str(table.get_backend().name)
    types = {name: _stored(kind, engine) for name, kind in schema.items()}
    table = _marked(table, [name for name, kind in types.items() if kind is Stored.OTHER])
    if engine == _POSTGRES:
        seeming = _seeming_numbers(table, types)
        types |= dict.fromkeys(seeming, Stored.OTHER)
        table = _marked(table, seeming)
    uuids = frozenset(name for name, kind in schema.items() if kind.is_uuid())
    return EngineTable(table, types, uuids)


def _marked(table: "ibis.Table", names: Sequence[str]) -> "ibis.Table":
    """The table with 1 in these columns wherever there is something.

    Some Ibis reads by functions of PostGIS, which need not be there, and some not at all.
    """
    if not names:
        return table
    import ibis  # noqa: PLC0415 - only where a table is Ibis's

    return table.mutate(**{name: ibis.ifelse(table[name].notnull(), 1, None) for name in names})


def _seeming_numbers(table: "ibis.Table", types: Mapping[str, Stored]) -> list[str]:
    """Columns that Ibis takes for numbers and PostgreSQL does not, such as money."""
    backend = table.get_backend()
    with told(table):
        found = backend.raw_sql(backend.compile(table.limit(0)))
    codes = {each.name: each.type_code for each in found.description}
    found.close()
    numbers = (Stored.INTEGER, Stored.FLOAT, Stored.DECIMAL)
    return [name for name, kind in types.items() if kind in numbers and codes[name] not in _NUMBERS]


def between(table: EngineTable, plan: Plan) -> EngineTable:
    """The table's rows in the span of the plan; naive times are read as UTC.

    Raises `UnreadableError` where its column is none of dates or timestamps.
    """
    if plan.span is None:
        return table
    name = plan.span.timestamp
    if name not in table.types:
        msg = f"the table has no column {name!r}; it has {', '.join(table.types)}"
        raise UnreadableError(msg)
    column = table.table[name]
    kind = column.type()
    if not (kind.is_date() or kind.is_timestamp()):
        msg = (
            f"column {name!r} is stored as {kind}: a table in an engine needs a date or a timestamp"
            " there, such as a view that casts it"
        )
        raise UnreadableError(msg)
    if kind.is_date():
        column = column.cast("timestamp")
    chosen = table.table
    aware = getattr(kind, "timezone", None) is not None
    if plan.span.start is not None:
        chosen = chosen.filter(column >= _comparable(plan.span.start, aware=aware))
    if plan.span.end is not None:
        chosen = chosen.filter(column < _comparable(plan.span.end, aware=aware))
    return replace(table, table=chosen)


def _stored(kind: Any, engine: str) -> Stored:  # noqa: ANN401 - an Ibis type, not imported here
    fitting = {
        Stored.BOOLEAN: kind.is_boolean(),
        Stored.INTEGER: kind.is_integer(),
        # PostgreSQL's decimals may be NaN and infinite
        Stored.FLOAT: kind.is_floating() or (kind.is_decimal() and engine == _POSTGRES),
        Stored.DECIMAL: kind.is_decimal(),
        Stored.TEXT: kind.is_string() or kind.is_uuid(),
        Stored.TIME: kind.is_temporal() or kind.is_interval(),
    }
    return next((stored for stored, fits in fitting.items() if fits), Stored.OTHER)


def _comparable(instant: datetime, *, aware: bool) -> datetime:
    utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    return utc if aware else utc.replace(tzinfo=None)
