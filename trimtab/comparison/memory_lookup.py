"""Finds a table in memory: of pandas, polars, Arrow, DuckDB or Ibis.

None of them is imported here unless it is loaded already: whoever holds such a table has done so.
"""

import sys
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from trimtab.charts.text import join_names
from trimtab.comparison.errors import InvalidTableError, UnsupportedTableError
from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.duckdb_table import QueryableTable, UnreadableError
from trimtab.detection.tables.memory_tables import (
    ArrowStreamOnly,
    RegisteredTable,
    RelationTable,
)

_ACCEPTED: Final = (
    "give a pandas, polars or Arrow table, a DuckDB relation, an Ibis table, a path or a URL"
)
_MEMORY_BACKENDS: Final = frozenset({"datafusion", "polars"})
"""Ibis' names of engines whose tables are in the memory of this process."""


def find_memory_table(table: Any, *, side: str, columns: Collection[str]) -> TableSource:  # noqa: ANN401 - decides what it is
    """Return the table that an object holds; raise `InvalidTableError` if it holds none.

    `columns` are names that options mention: a level of a pandas index that is among them counts
    as a column.
    """
    if _is_instance(table, "pandas", "DataFrame"):
        return _find_frame(table, side=side, columns=columns)
    if _is_instance(table, "duckdb", "DuckDBPyRelation"):
        return _find_relation(table, side=side)
    if _is_instance(table, "ibis", "Table"):
        return _find_ibis_table(table, side=side)
    if hasattr(table, "__arrow_c_stream__"):
        return _find_arrow_stream(table, side=side)
    fault = _ACCEPTED
    if hasattr(table, "collect") and type(table).__module__.startswith("polars"):
        fault = "a lazy frame holds no rows yet: call its .collect()"
    raise UnsupportedTableError(fault, subject=side, value=f"({_name_type(table)})")


def _is_instance(table: object, package: str, name: str) -> bool:
    """Return whether an object is of that class, without importing its package."""
    loaded = sys.modules.get(package)
    known = getattr(loaded, name, None)
    return isinstance(known, type) and isinstance(table, known)


def _find_frame(frame: Any, *, side: str, columns: Collection[str]) -> TableSource:  # noqa: ANN401 - pandas
    from trimtab.comparison.pandas_frames import adapt_frame  # noqa: PLC0415 - imports pandas

    name = "pandas data frame"
    if frame.columns.nlevels > 1:
        fault = "its columns have several levels: give each column one name"
        raise InvalidTableError(fault, subject=side, value=f"({name})")
    levels = [level for level in frame.index.names if level is not None and str(level) in columns]
    names = [str(each) for each in (*frame.columns, *levels)]
    _check_names(names, side=side, label=f"({name})")
    relation = RegisteredTable(adapt_frame(frame, names, index_levels=levels))
    return _make_source(relation, frame, side=side, name=name)


def _find_arrow_stream(table: Any, *, side: str) -> TableSource:  # noqa: ANN401 - see above
    package = type(table).__module__.partition(".")[0]
    name = "Arrow table" if package == "pyarrow" else f"{package} data frame"
    data = table
    if hasattr(table, "read_all"):  # a stream that can be read once
        data = table.read_all()
    elif package != "pyarrow":
        data = ArrowStreamOnly(table)
    names = getattr(data, "column_names", None) or getattr(table, "columns", None)
    if not isinstance(names, list):
        raise UnsupportedTableError(_ACCEPTED, subject=side, value=f"({_name_type(table)})")
    _check_names(names, side=side, label=f"({name})")
    return _make_source(RegisteredTable(data), table, side=side, name=name)


def _find_relation(relation: Any, *, side: str) -> TableSource:  # noqa: ANN401 - as above
    name = "DuckDB relation"
    found = RelationTable(relation)
    try:
        names = found.read_names()
    except UnreadableError as error:
        raise InvalidTableError(str(error), subject=side, value=f"({name})") from None
    _check_names(names, side=side, label=f"({name})")
    return _make_source(found, relation, side=side, name=name)


def _find_ibis_table(table: Any, *, side: str) -> TableSource:  # noqa: ANN401 - as above
    from trimtab.detection.tables.ibis_engine import EngineError, translate_engine_errors  # noqa: PLC0415 - imports Ibis

    name = "Ibis table"
    _check_names(table.columns, side=side, label=f"({name})")
    source = TableSource(table, side, name, f"({name})", ("memory", id(table)))
    try:
        with translate_engine_errors(table), catch_warnings():
            simplefilter("ignore")  # Ibis uses what pandas will remove
            if not _is_in_memory(table):
                return source
            rows = table.to_pyarrow()
    except EngineError as error:
        raise InvalidTableError(str(error), subject=side, value=f"({name})") from None
    return source._replace(relation=RegisteredTable(rows))


def _is_in_memory(table: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether the rows, or some of them, are in this process rather than in a database."""
    import ibis.expr.operations as ops  # noqa: PLC0415 - loaded already

    local = table.get_backend().name in _MEMORY_BACKENDS
    return local or bool(table.op().find(ops.InMemoryTable))


def _make_source(relation: QueryableTable, table: object, *, side: str, name: str) -> TableSource:
    return TableSource(relation, side, name, f"({name})", ("memory", id(table)))


def _check_names(names: Sequence[str], *, side: str, label: str) -> None:
    """Raise an error unless each column has a name, and one of its own."""
    counts = Counter(name.lower() for name in names)
    twice = [repr(name) for name, count in counts.items() if count > 1]
    fault = ""
    if not names:
        fault = "has no columns: give a table with data"
    elif "" in names:
        fault = "has a column without a name: give it one"
    elif twice:
        fault = f"has two columns called {join_names(twice)} (case does not count): rename one"
    if fault:
        raise InvalidTableError(fault, subject=side, value=label)


def _name_type(table: object) -> str:
    """Return the name of an object's class, with the package that it comes from."""
    package = type(table).__module__.partition(".")[0]
    name = type(table).__qualname__
    return name if package == "builtins" else f"{package}.{name}"
