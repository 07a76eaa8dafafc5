"""Detects how a CSV file is written: its delimiter, its quotes, and the line with the names.

One detection for every command: DuckDB's sniffer, and what it gets wrong. It takes lines of
different lengths for a single column, a header with too few names for a title, and quotes that
first occur after 20,480 rows for data.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast

from trimtab.detection.tables.duckdb_table import SqlConnection, UnreadableError
from trimtab.detection.tables.sql.statements import build_select, quote_text

DELIMITERS: Final = (",", ";", "\t", "|")
"""The usual one first."""
_PEEK_BYTES: Final = 2**18
"""Bytes from the beginning in which unusual quotes are looked for."""
_UNUSUAL_QUOTES: Final = re.compile(rb'''(?:^|[,;\t|]) *'|\\"''', re.MULTILINE)
"""Fields in single quotes, or double quotes behind a backslash."""
_EMPTY: Final = "(empty)"
"""How DuckDB's sniffer writes that there is no such sign."""
_FIRST_UNNAMED: Final = "Unnamed: 0"
"""What pandas calls a first column without a name: its index, when it is read back."""


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written."""

    delimiter: str
    quote: str = '"'
    escape: str = '"'
    skipped_lines: int = 0
    """Lines before the names, such as a title or comments."""
    names: tuple[str, ...] = ()
    """The names in the header line, as they stand there."""
    has_short_lines: bool = False
    """Whether lines may have fewer values than there are names: the last ones are missing."""

    def render_options(self) -> str:
        """Return the dialect as options of DuckDB's `read_csv`, which detects nothing then."""
        options = [
            "auto_detect = false",
            "header = true",
            f"delim = {quote_text(self.delimiter)}",
            f"quote = {quote_text(self.quote)}",
            f"escape = {quote_text(self.escape)}",
            f"skip = {self.skipped_lines}",
        ]
        if self.has_short_lines:  # which DuckDB reads in one thread if fields hold line breaks
            options += ["null_padding = true", "parallel = false"]
        return ", ".join(options)


def render_quote_options(path: str) -> str:
    """Return how a file quotes, as options of DuckDB; "" if DuckDB must detect it."""
    return "" if _has_unusual_quotes(path) else ", quote = '\"', escape = '\"'"


def detect_dialect(connection: SqlConnection, path: str) -> CsvDialect:
    """Return how a file is written; raise `duckdb.Error` if DuckDB cannot read it."""
    options = f"all_varchar = true, header = true{render_quote_options(path)}"
    columns = "delimiter, quote, escape, skiprows, len(columns)"
    query = build_select(columns, f"sniff_csv({quote_text(path)}, {options})")
    ((delimiter, quote, escape, skipped, width),) = connection.execute(query).fetchall()
    quote = '"' if quote == _EMPTY else quote
    dialect = CsvDialect(
        delimiter=delimiter,
        quote=quote,
        escape=quote if escape == _EMPTY else escape,
        skipped_lines=skipped,
    )
    names = _read_record(path, dialect, line=skipped)
    if width == 1 and len(names) == 1:
        return _find_ragged_dialect(path, dialect, names)
    return _find_skipped_header(path, dialect, width) or replace(dialect, names=tuple(names))


def unify_names(names: Sequence[str]) -> list[str]:
    """Return a name for each column by which SQL tells them apart, though it ignores case.

    A column without a name is called as pandas or DuckDB would call it. Raises `UnreadableError` if
    two columns have exactly the same name, or if no column has one.
    """
    if not any(names):
        msg = "its first line has no names: give a table with a header line"
        raise UnreadableError(msg)
    found: list[str] = []
    for index, name in enumerate(names):
        if name and name in names[:index]:
            msg = f"it has two columns called {name!r}: rename one of them"
            raise UnreadableError(msg)
        chosen = base = name or (f"column{index}" if index else _FIRST_UNNAMED)
        number = 0
        while chosen.lower() in {each.lower() for each in found}:
            number += 1
            chosen = f"{base}_{number}"
        found.append(chosen)
    return found


def _has_unusual_quotes(path: str) -> bool:
    try:
        with _open(path, "rb") as file:
            return bool(_UNUSUAL_QUOTES.search(file.read(_PEEK_BYTES)))
    except (OSError, EOFError, zlib.error):  # DuckDB says what is wrong
        return False


def _find_ragged_dialect(path: str, dialect: CsvDialect, names: Sequence[str]) -> CsvDialect:
    """Return the dialect that splits the header into most names, or else that of one column."""
    found = replace(dialect, names=tuple(names))
    for delimiter in DELIMITERS:
        other = replace(dialect, delimiter=delimiter, has_short_lines=True)
        fields = _read_record(path, other, line=dialect.skipped_lines)
        if len(fields) > len(found.names):
            found = replace(other, names=tuple(fields))
    return found


def _find_skipped_header(path: str, dialect: CsvDialect, width: int) -> CsvDialect | None:
    """Return the dialect with the first skipped line that looks like names of other columns.

    DuckDB skips a header if most lines have more or fewer values, and some of them have as many.
    """
    for line in range(dialect.skipped_lines):
        fields = _read_record(path, dialect, line=line)
        filled = sum(bool(field) for field in fields)
        if filled > max(width / 2, 1) and len(fields) != width and not fields[0].startswith("#"):
            return replace(dialect, skipped_lines=line, names=tuple(fields), has_short_lines=True)
    return None


def _read_record(path: str, dialect: CsvDialect, *, line: int) -> list[str]:
    """Return the fields of the record that begins at a line, counted from 0, without spaces."""
    is_doubled = dialect.escape == dialect.quote
    try:
        with _open(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
            records = csv.reader(
                islice(file, line, None),
                delimiter=dialect.delimiter,
                quotechar=dialect.quote,
                doublequote=is_doubled,
                escapechar=None if is_doubled else dialect.escape,
            )
            return [field.strip() for field in next(records, [])]
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        msg = f"its header cannot be read ({error}): check that it is complete"
        raise UnreadableError(msg) from error


def _open(path: str, mode: str, **options: Any) -> IO[Any]:  # noqa: ANN401 - those of open
    if path.lower().endswith(".gz"):
        return cast("IO[Any]", gzip.open(path, mode, **options))
    return Path(path).open(mode, **options)
