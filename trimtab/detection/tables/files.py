"""Opens Parquet and CSV files, and tables of an Ibis DuckDB connection, as one DuckDB table."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from trimtab.detection.tables.column_types import StorageType, parse_duckdb_type
from trimtab.detection.tables.sql.statements import quote_name, quote_text, quote_texts

if TYPE_CHECKING:
    import duckdb
    import ibis

PathName = str | PathLike[str]
Part = TypeVar("Part")
Answer = TypeVar("Answer")

TOGETHER: Final = 2
"""Questions at the same time; each has some 40 MB of numbers in memory."""

SMALL_CSV: Final = 64 * 2**20
"""Bytes of CSV, compressed or not, that are parsed once and kept; larger ones are parsed twice."""
_NULLS: Final = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "n/a")
"""What CSV files write for a missing value."""
DECIMAL_COMMA: Final = r"\s*[-+]?[0-9]+,[0-9]+\s*"
THOUSANDS: Final = r"\s*[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+\s*"
LOOKED_AT: Final = 1000
"""Rows in which decimal commas are looked for."""
_PEEK: Final = 2**18
"""Bytes from the beginning of a CSV in which quotes of another kind are looked for."""
_OTHER_QUOTES: Final = re.compile(rb'''(?:^|[,;\t|]) *'|\\"''', re.MULTILINE)
"""Fields in single quotes, or double quotes behind a backslash."""
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,  # it would keep what was read of a file
    "preserve_insertion_order": False,
}


class UnreadableError(ValueError):
    """A table that cannot be read, with the remedy."""

    mixed = False
    """Whether values were met that do not fit their column's type."""


@dataclass(frozen=True)
class DuckTable:
    """A table that DuckDB reads."""

    connection: "duckdb.DuckDBPyConnection"
    source: str
    """What stands after FROM."""
    types: Mapping[str, str]
    """Column to DuckDB's name of its type."""
    name: str
    """For messages."""
    columnar: bool = False
    """Whether a column is read without the others."""
    shared: bool = False
    """Whether every cursor of the connection sees it."""

    def stored(self, column: str) -> StorageType | None:
        """How a column is stored; None where there is no such column."""
        return parse_duckdb_type(self.types[column]) if column in self.types else None


@contextmanager
def open_connected(table: "ibis.Table") -> Iterator[DuckTable]:
    """A table of an Ibis connection to DuckDB; not for several threads at once."""
    backend = table.get_backend()
    source = f"({backend.compile(table)})"
    yield DuckTable(backend.con, source, describe(backend.con, source), "of DuckDB")


@contextmanager
def open_connection() -> Iterator["duckdb.DuckDBPyConnection"]:
    """Yield a connection of its own to the database of this process; it keeps nothing."""
    with _database().cursor() as connection:
        yield connection


@contextmanager
def open_files(paths: Sequence[PathName], *, as_text: bool = False) -> Iterator[DuckTable]:
    """The files as one table; a column that only some of them have is empty in the others.

    `as_text` reads every column of a CSV as text. Raises `UnreadableError`.
    """
    import duckdb  # noqa: PLC0415 - not needed by who handles profiles only

    names = [fspath(path) for path in paths]
    with _database().cursor() as connection:
        try:
            yield _opened(connection, names, as_text=as_text)
        except duckdb.Error as error:
            if isinstance(error, duckdb.FatalException):  # after which it answers nothing more
                _database.cache_clear()
            unreadable = UnreadableError(_explain(names, error))
            unreadable.mixed = isinstance(
                error, duckdb.ConversionException | duckdb.InvalidInputException
            )
            raise unreadable from error


def side_by_side(
    table: DuckTable, question: Callable[[DuckTable, Part], Answer], parts: Iterable[Part]
) -> Iterator[Answer]:
    """The answers for each part in turn, two asked at a time where the table can be shared.

    DuckDB alone uses one processor for tables of fewer than some 100,000 rows.
    """
    if not table.shared:
        yield from (question(table, part) for part in parts)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - for wide tables only

    def ask(part: Part) -> Answer:
        with table.connection.cursor() as connection:
            return question(replace(table, connection=connection), part)

    with ThreadPoolExecutor(TOGETHER) as pool:
        yield from pool.map(ask, parts)


@cache
def _database() -> "duckdb.DuckDBPyConnection":
    """One a process, for to start one takes longer than to count a small file; it keeps nothing."""
    import duckdb  # noqa: PLC0415 - as above

    connection = duckdb.connect(config=_SETTINGS)
    with suppress(duckdb.CatalogException):  # a setting of DuckDB 2.0
        connection.execute("SET GLOBAL read_ahead_depth = 0")  # else memory grows with the file
    return connection


def describe(connection: "duckdb.DuckDBPyConnection", source: str) -> dict[str, str]:
    """Column to type of what stands after FROM."""
    found = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - our own text
    return {name: kind for name, kind, *_ in found}


def columns_of_parquet(path: PathName) -> list[str]:
    """The names of a Parquet file's columns as they stand in it, twice if they do."""
    with _database().cursor() as connection:
        query = f"SELECT name, num_children FROM parquet_schema({quote_text(fspath(path))})"  # noqa: S608 - a literal
        (_, left), *others = connection.execute(query).fetchall()
    return _of_top(others, left)


def is_text_file(path: PathName) -> bool:
    """Whether a file is CSV rather than Parquet: by its name, or else by how it begins."""
    suffixes = {suffix.lower() for suffix in Path(path).suffixes}
    if suffixes & {".parquet", ".pq"}:
        return False
    if suffixes & {".csv", ".tsv", ".txt"}:
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(4) != b"PAR1"
    except OSError:
        return True


def _opened(
    connection: "duckdb.DuckDBPyConnection", names: Sequence[str], *, as_text: bool
) -> DuckTable:
    files = f"[{quote_texts(names)}], union_by_name = true"
    name = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    if not is_text_file(names[0]):
        source = f"read_parquet({files})"
        types = describe(connection, source)
        return DuckTable(connection, source, types, name, columnar=True, shared=True)
    nulls = f"nullstr = [{quote_texts(_NULLS)}]"
    text = "true" if as_text else "false"
    how = f"{nulls}, header = true, all_varchar = {text}{_quotes(names[0])}"
    small = sum(_size(each) for each in names) <= SMALL_CSV
    found = _csv(connection, f"read_csv({files}, {how})", name, keep=small)
    if not as_text and _has_decimal_commas(found):
        found = _csv(
            connection, f"read_csv({files}, {how}, decimal_separator = ',')", name, keep=small
        )
    return found


def _quotes(name: str) -> str:
    """How a CSV quotes, as an option; none where DuckDB has to find out.

    It looks at the first 20,480 rows, and where none of them has a quote it takes later ones for
    signs like others, or for an error.
    """
    opened = gzip.open if name.endswith(".gz") else open
    try:
        with opened(name, "rb") as file:
            start = file.read(_PEEK)
    except (OSError, EOFError, zlib.error):  # DuckDB will say what is wrong
        start = b""
    return "" if _OTHER_QUOTES.search(start) else ", quote = '\"', escape = '\"'"


def _csv(
    connection: "duckdb.DuckDBPyConnection", source: str, name: str, *, keep: bool
) -> DuckTable:
    if keep:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE kept AS FROM {source}")
        source = quote_name("kept")
    return DuckTable(connection, source, describe(connection, source), name, columnar=keep)


def _has_decimal_commas(table: DuckTable) -> bool:
    """Whether a column of text holds numbers such as 0,25 and not only such as 1,250."""
    words = [quote_name(name) for name, kind in table.types.items() if kind == "VARCHAR"]
    if not words:
        return False
    tests = [
        f"BOOL_AND(REGEXP_FULL_MATCH({word}, {quote_text(DECIMAL_COMMA)}))"
        f" AND NOT BOOL_AND(REGEXP_FULL_MATCH({word}, {quote_text(THOUSANDS)}))"
        for word in words
    ]
    query = f"SELECT {' OR '.join(tests)} FROM (FROM {table.source} LIMIT {LOOKED_AT})"  # noqa: S608 - quoted names
    return bool((table.connection.execute(query).fetchone() or [False])[0])


def _of_top(nodes: Sequence[tuple[str, int | None]], count: int) -> list[str]:
    """Of a tree that is listed root first, so many names that are not within another."""
    found: list[str] = []
    inside = 0
    for name, children in nodes:
        if not inside and len(found) < count:
            found.append(name)
        else:
            inside -= 1
        inside += children or 0
    return found


def _size(name: str) -> float:
    try:
        return Path(name).stat().st_size
    except OSError:  # a pattern, an address
        return float("inf")


def _explain(names: Sequence[str], error: Exception) -> str:
    said: list[Any] = str(error).strip().splitlines() or [type(error).__name__]
    missing = [name for name in names if not Path(name).exists() and not set(name) & set("*?[:")]
    if missing:
        return f"table {missing[0]} does not exist: correct the path"
    return (
        f"table {', '.join(names)} is no readable Parquet or CSV file: {said[0]:.300}:"
        " check that it is complete, and UTF-8 if it is CSV"
    )
