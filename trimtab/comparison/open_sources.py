"""Opens a table for as long as it is compared.

Files stay open, so that CSV is parsed once. A database that cannot compute profiles is copied to
this machine: SQLite has no standard deviation, MySQL no GROUPING SETS, and others no MD5.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from warnings import catch_warnings, simplefilter

from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.duckdb_table import QueryableTable
from trimtab.detection.tables.files import OpenFiles
from trimtab.detection.tables.ibis_engine import EngineError, translate_engine_errors

if TYPE_CHECKING:  # takes a second to import, and files need none of it
    import ibis

_CAPABLE_ENGINES: Final = frozenset(
    {"bigquery", "duckdb", "postgres", "pyspark", "snowflake", "trino"}
)
"""Ibis' names of the engines that have all of the SQL in `detection.tables.ibis_profiling`."""


@contextmanager
def open_source(
    source: TableSource, *, report_progress: Callable[[str], None]
) -> Iterator[TableSource]:
    """Yield the table where it can be counted; raise `InvalidTableError` if it cannot be copied.

    A copy is a private file, which is deleted afterwards, whatever happens.
    """
    relation = source.relation
    if isinstance(relation, Path | Sequence):
        with OpenFiles(source.files) as files:
            yield source._replace(relation=files)
        return
    if isinstance(relation, QueryableTable) or relation.get_backend().name in _CAPABLE_ENGINES:
        yield source
        return
    engine = str(relation.get_backend().name)
    report_progress(f"copying the {source.side} table here: {engine} cannot count it")
    with TemporaryDirectory(prefix="trimtab-") as folder:
        path = Path(folder) / "table.parquet"
        _write_copy(relation, path, source=source)
        yield source._replace(relation=path)


def _write_copy(relation: "ibis.Table", path: Path, *, source: TableSource) -> None:
    """Write the table as it is, or else as text: SQLite holds any value in any column."""
    said = ""
    for convert in (_keep_types, _cast_to_text):
        try:
            with translate_engine_errors(relation), catch_warnings():
                simplefilter("ignore")  # Ibis uses what pandas will remove
                convert(relation).to_parquet(path)
        except EngineError as error:
            said = str(error)
        else:
            return
    fault = f"cannot be copied here: {said}: write it to a Parquet or CSV file first"
    raise source.make_error(fault)


def _keep_types(relation: "ibis.Table") -> "ibis.Table":
    return relation


def _cast_to_text(relation: "ibis.Table") -> "ibis.Table":
    """Return the table with text for all that can be written as such."""
    texts = {
        name: relation[name].cast("string")
        for name, kind in relation.schema().items()
        if kind.is_primitive() or kind.is_temporal() or kind.is_decimal()
    }
    return relation.mutate(**texts)
