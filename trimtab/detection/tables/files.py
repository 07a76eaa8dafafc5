"""Opens Parquet and CSV files as one DuckDB table."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Final, Self, TypeVar

from trimtab.detection.tables.csv_dialect import detect_dialect
from trimtab.detection.tables.csv_files import open_csv
from trimtab.detection.tables.duckdb_database import discard_databases, open_connection
from trimtab.detection.tables.duckdb_table import (
    DuckTable,
    QueryableTable,
    SqlConnection,
    UnreadableError,
    read_column_types,
)
from trimtab.detection.tables.engine_messages import format_first_line
from trimtab.detection.tables.sql.statements import build_select, quote_text, quote_texts

PathName = str | PathLike[str]
_T = TypeVar("_T")

_PARQUET_SUFFIXES: Final = {".parquet", ".pq"}
_TEXT_SUFFIXES: Final = {".csv", ".tsv", ".txt"}
_PARQUET_MAGIC: Final = b"PAR1"
_LINE_LENGTH: Final = re.compile(
    r"Error on Line: (\d+).*Expected Number of Columns: (\d+) Found: (\d+)", re.DOTALL
)
"""How DuckDB says that a line has too many or too few values."""


class OpenFiles(QueryableTable):
    """Parquet or CSV files of one table, which stay open between queries.

    A column that some of them lack is empty in their rows. If a query fails because a CSV file has
    short lines, it is read again with these padded; if a value does not fit the type that the first
    rows chose, it is read again with the types that all values choose.
    """

    def __init__(self, paths: Sequence[PathName], *, keep: bool | None = None) -> None:
        """Take the files; they are opened by the first query.

        Args:
            paths: Files of one kind.
            keep: Whether to keep a CSV table in memory; None to keep a small one.
        """
        self._paths = [fspath(path) for path in paths]
        self._is_text = is_text_file(self._paths[0])
        self._keep = keep
        self._see_all = False
        self._pad_lines = False
        self._table: DuckTable | None = None
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._table = None
        self._resources.close()

    def query(self, run: Callable[[DuckTable], _T]) -> _T:
        """Return what `run` returns for the table; raise `UnreadableError` if it is unreadable."""
        while True:
            try:
                with _translate_errors(self._paths):
                    self._table = self._table or self._open()
                    return run(self._table)
            except UnreadableError as error:
                self.__exit__()
                retry_padded = error.has_short_lines and not self._pad_lines
                retry_see_all = error.has_mixed_types and not self._see_all and self._is_text
                if not (retry_padded or retry_see_all):
                    raise
                self._pad_lines = self._pad_lines or retry_padded
                self._see_all = self._see_all or retry_see_all

    def _open(self) -> DuckTable:
        connection = self._resources.enter_context(open_connection(ordered=self._is_text))
        if not self._is_text:
            return _open_parquet(connection, self._paths)
        return open_csv(
            connection,
            self._paths,
            keep=self._keep,
            see_all=self._see_all,
            pad_lines=self._pad_lines,
        )


def read_column_names(path: PathName) -> list[str]:
    """Return the names of a file's columns as they stand in it, twice if they do.

    Raises `UnreadableError` or `duckdb.Error` if the file cannot be read.
    """
    name = fspath(path)
    with open_connection() as connection:
        if is_text_file(name):
            return list(detect_dialect(connection, name).names)
        query = build_select("name, num_children", f"parquet_schema({quote_text(name)})")
        (_, count), *nodes = connection.execute(query).fetchall()
    return _select_top_nodes(nodes, count)


def is_text_file(path: PathName) -> bool:
    """Return whether a file is CSV rather than Parquet: by its name, or else by its first bytes."""
    suffixes = {suffix.lower() for suffix in Path(path).suffixes}
    if suffixes & _PARQUET_SUFFIXES:
        return False
    if suffixes & _TEXT_SUFFIXES:
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_PARQUET_MAGIC)) != _PARQUET_MAGIC
    except OSError:
        return True


@contextmanager
def _translate_errors(paths: Sequence[str]) -> Iterator[None]:
    """Raise DuckDB's errors as `UnreadableError`."""
    import duckdb  # noqa: PLC0415 - a tenth of a second, and many import this module

    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, duckdb.FatalException):
            discard_databases()
        made = _make_error(paths, error)
        mixed = (duckdb.ConversionException, duckdb.InvalidInputException)
        made.has_mixed_types = isinstance(error, mixed) and not made.has_short_lines
        raise made from error


def _open_parquet(connection: SqlConnection, paths: Sequence[str]) -> DuckTable:
    source = f"read_parquet([{quote_texts(paths)}], union_by_name = true)"
    types = read_column_types(connection, source)
    return DuckTable(connection, source, types, _name_table(paths), columnar=True, shared=True)


def _select_top_nodes(nodes: Sequence[tuple[str, int | None]], count: int) -> list[str]:
    """Return the first `count` nodes that are not inside another one, of a tree in preorder."""
    found: list[str] = []
    inside = 0
    for name, children in nodes:
        if not inside and len(found) < count:
            found.append(name)
        else:
            inside -= 1
        inside += children or 0
    return found


def _name_table(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _make_error(paths: Sequence[str], error: Exception) -> UnreadableError:
    """Return DuckDB's error as ours, with the remedy and with what else may be tried."""
    missing = [path for path in paths if not Path(path).exists() and not set(path) & set("*?[:")]
    if missing:
        return UnreadableError(f"{missing[0]} does not exist: correct the path")
    if match := _LINE_LENGTH.search(str(error)):
        line, expected, found = map(int, match.groups())
        many = f"{found} values" if found < expected else f"more than {expected} values"
        made = UnreadableError(
            f"its line {line:,} has {many}, but its header has {expected} names: give each line as"
            " many values as the header has names"
        )
        made.has_short_lines = found < expected
        return made
    return UnreadableError(
        f"cannot be read as Parquet or CSV: {format_first_line(error)}: check that it is complete,"
        " and UTF-8 if it is CSV"
    )
