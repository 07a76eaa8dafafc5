"""Finds a table in memory: of pandas, polars, Arrow, DuckDB or Ibis.

None of their packages is imported here: whoever holds such a table has done so.
"""

import sys
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from warnings import catch_warnings, simplefilter

import duckdb

from trimtab.charts.text import join_names
from trimtab.comparison.errors import UnsupportedTableError
from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.duckdb_table import QueryableTable, UnreadableError
from trimtab.detection.tables.ibis_engine import EngineError, translate_engine_errors
from trimtab.detection.tables.memory_tables import (
    ArrowStream,
    ArrowStreamOnly,
    RegisteredTable,
    RelationTable,
)

if TYPE_CHECKING:
    import ibis
    import pandas as pd
    import polars as pl

_ACCEPTED: Final = (
    "give a pandas, polars or Arrow table, a DuckDB relation, an Ibis table, a path or a URL"
)
_MEMORY_BACKENDS: Final = frozenset({"datafusion", "polars"})
"""Ibis' names of engines whose tables are in the memory of this process."""


def find_memory_table(table: object, *, side: str, columns: Collection[str]) -> TableSource:
    """Return the table that an object holds; raise `InvalidTableError` if it holds none.

    `columns` are names that options mention: a level of a pandas index that is among them counts
    as a column.
    """
    if _is_instance(table, "pandas", "DataFrame"):
        return _find_frame(cast("pd.DataFrame", table), side=side, columns=columns)
    if isinstance(table, duckdb.DuckDBPyRelation):
        return _find_relation(table, side=side)
    if _is_instance(table, "ibis", "Table"):
        return _find_ibis_table(cast("ibis.Table", table), side=side)
    if hasattr(table, "__arrow_c_stream__"):
        return _find_arrow_stream(cast("ArrowStream", table), side=side)
    fault = _ACCEPTED
    if hasattr(table, "collect") and type(table).__module__.startswith("polars"):
        fault = "a lazy frame holds no rows yet: call its .collect()"
    raise UnsupportedTableError(fault, subject=side, value=f"({_name_type(table)})")


def _is_instance(table: object, package: str, name: str) -> bool:
    """Return whether an object is of that class, without importing its package."""
    loaded = sys.modules.get(package)
    known = getattr(loaded, name, None)
    return isinstance(known, type) and isinstance(table, known)


def _find_frame(frame: "pd.DataFrame", *, side: str, columns: Collection[str]) -> TableSource:
    from trimtab.comparison.pandas_frames import adapt_frame  # noqa: PLC0415 - imports pandas

    source = _make_source(RegisteredTable(frame), frame, side=side, name="pandas data frame")
    if frame.columns.nlevels > 1:
        fault = "its columns have several levels: give each column one name"
        raise source.make_error(fault)
    levels = {
        position: str(name)
        for position, name in enumerate(frame.index.names)
        if name is not None and str(name) in columns
    }
    names = [*map(str, frame.columns), *levels.values()]
    _check_names(names, source)
    try:
        adapted = adapt_frame(frame, names, index_levels=list(levels))
    except UnicodeEncodeError as error:  # half of a character, as Python reads broken bytes
        half = error.object[error.start : error.end]
        fault = f"a text holds {half!r}, which is no character: replace it"
        raise source.make_error(fault) from None
    return source._replace(relation=RegisteredTable(adapted))


def _find_arrow_stream(table: ArrowStream, *, side: str) -> TableSource:
    package = type(table).__module__.partition(".")[0]
    name = "Arrow table" if package == "pyarrow" else f"{package} data frame"
    data: object = table
    if read_all := getattr(table, "read_all", None):  # a stream that can be read once
        data = read_all()
    elif package != "pyarrow":
        is_polars = _is_instance(table, "polars", "DataFrame")
        data = ArrowStreamOnly(_type_nulls(cast("pl.DataFrame", table)) if is_polars else table)
    names = getattr(data, "column_names", None) or getattr(table, "columns", None)
    if not isinstance(names, list):
        raise UnsupportedTableError(_ACCEPTED, subject=side, value=f"({_name_type(table)})")
    source = _make_source(RegisteredTable(data), table, side=side, name=name)
    _check_names(names, source)
    return source


def _type_nulls(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Return a polars frame with whole numbers for columns of its type Null, as Parquet has them.

    DuckDB cannot read this type of polars, not even inside of lists and structs.
    """
    types = {name: _replace_null(kind) for name, kind in frame.schema.items()}
    changed: Any = {name: kind for name, kind in types.items() if kind != frame.schema[name]}
    return frame.cast(changed) if changed else frame


def _replace_null(kind: Any) -> Any:  # noqa: ANN401 - a type of polars, which may not be installed
    polars: Any = sys.modules["polars"]
    if kind == polars.Null:
        return polars.Int32()
    if isinstance(kind, polars.Array):
        return polars.Array(_replace_null(kind.inner), kind.size)
    if isinstance(kind, polars.List):
        return polars.List(_replace_null(kind.inner))
    if isinstance(kind, polars.Struct):
        return polars.Struct({field.name: _replace_null(field.dtype) for field in kind.fields})
    return kind


def _find_relation(relation: duckdb.DuckDBPyRelation, *, side: str) -> TableSource:
    found = RelationTable(relation)
    source = _make_source(found, relation, side=side, name="DuckDB relation")
    try:
        names = found.read_names()
    except UnreadableError as error:
        raise source.make_error(str(error)) from None
    _check_names(names, source)
    return source


def _find_ibis_table(table: "ibis.Table", *, side: str) -> TableSource:
    source = _make_source(table, table, side=side, name="Ibis table")
    _check_names(table.columns, source)
    if table.op().find(sys.modules["ibis"].expr.operations.UnboundTable):
        fault = "is bound to no database: take the table from a connection"
        raise source.make_error(fault)
    try:
        with translate_engine_errors(table), catch_warnings():
            simplefilter("ignore")  # Ibis uses what pandas will remove
            if not _is_in_memory(table):
                return source
            rows = table.to_pyarrow()
    except EngineError as error:
        raise source.make_error(str(error)) from None
    return source._replace(relation=RegisteredTable(rows))


def _is_in_memory(table: "ibis.Table") -> bool:
    """Return whether the rows, or some of them, are in this process rather than in a database."""
    operations = sys.modules["ibis"].expr.operations
    local = table.get_backend().name in _MEMORY_BACKENDS
    return local or bool(table.op().find(operations.InMemoryTable))


def _make_source(
    relation: "QueryableTable | ibis.Table", table: object, *, side: str, name: str
) -> TableSource:
    return TableSource(relation, side, name, f"({name})", ("memory", id(table)))


def _check_names(names: Sequence[str], source: TableSource) -> None:
    """Raise an error unless each column has a name, and one of its own."""
    counts = Counter(name.lower() for name in names)
    spelled = {name.lower(): name for name in reversed(names)}
    twice = [repr(spelled[name]) for name, count in counts.items() if count > 1]
    broken = [name for name in names if not _is_encodable(name)]
    fault = ""
    if not names:
        fault = "has no columns: give a table with data"
    elif "" in names:
        fault = "has a column without a name: give it one"
    elif broken:
        fault = f"has a column called {broken[0]!r}, which holds no characters: rename it"
    elif twice:
        fault = f"has two columns called {join_names(twice)} (case does not count): rename one"
    if fault:
        raise source.make_error(fault)


def _is_encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_type(table: object) -> str:
    """Return the name of an object's class, with the package that it comes from."""
    package = type(table).__module__.partition(".")[0]
    name = type(table).__qualname__
    return name if package == "builtins" else f"{package}.{name}"
