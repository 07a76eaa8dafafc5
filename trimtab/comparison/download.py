"""Brings a table of a database that cannot count by itself to this machine, for as long as needed.

SQLite has no standard deviation, MySQL no GROUPING SETS, and others no MD5: what they hold is
counted in a file instead.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from warnings import catch_warnings, simplefilter

from trimtab.comparison.table_sources import BadInput, Table

if TYPE_CHECKING:  # takes a second to import, and files need none of it
    import ibis

_COUNT: Final = frozenset({"bigquery", "duckdb", "postgres", "pyspark", "snowflake", "trino"})
"""Ibis' names of the engines that have all of the SQL in `detection.engines`."""


@contextmanager
def brought(table: Table, *, side: str, say: Callable[[str], None]) -> Iterator[Table]:
    """The table where it can be counted; raises `BadInput` where it does not come.

    A file of it is private, and gone afterwards, whatever happens.
    """
    relation = table.relation
    if isinstance(relation, Path | Sequence) or relation.get_backend().name in _COUNT:
        yield table
        return
    engine = str(relation.get_backend().name)
    say(f"bringing {side} here, for {engine} cannot count it")
    with TemporaryDirectory(prefix="trimtab-") as folder:
        path = Path(folder) / "table.parquet"
        _write(relation, path, named=f"{side} {table.shown!r}")
        yield table._replace(relation=path)


def _write(relation: "ibis.Table", path: Path, *, named: str) -> None:
    """As it is, or with text for what does not fit its type, as in any column of SQLite."""
    from trimtab.detection.tables.ibis_engine import EngineError, translate_engine_errors  # noqa: PLC0415 - for databases only

    said = ""
    for form in (_as_it_is, _as_text):
        try:
            with translate_engine_errors(relation), catch_warnings():
                simplefilter("ignore")  # of what pandas will no longer have: Ibis uses it
                form(relation).to_parquet(path)
        except EngineError as error:
            said = str(error)
        else:
            return
    msg = f"{named}: cannot be brought here: {said}: write it to a Parquet or CSV file first"
    raise BadInput(msg)


def _as_it_is(relation: "ibis.Table") -> "ibis.Table":
    return relation


def _as_text(relation: "ibis.Table") -> "ibis.Table":
    """The table with text for all that can be written as such."""
    words = {
        name: relation[name].cast("string")
        for name, kind in relation.schema().items()
        if kind.is_primitive() or kind.is_temporal() or kind.is_decimal()
    }
    return relation.mutate(**words)
