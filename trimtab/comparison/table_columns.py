"""Looks at a table's columns before it is read, and refuses what cannot be compared."""

import gzip
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from trimtab.charts.text import join_names
from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.column_inference import InferredColumns
from trimtab.detection.tables.files import UnreadableError, columns_of_parquet, is_text_file
from trimtab.detection.tables.profiling import infer_columns

MAX_COLUMNS_NAMED: Final = 12
"""Columns that an error names."""
_DELIMITERS: Final = ",;\t|"
_MAX_HEADER_LENGTH: Final = 2**20


def inspect_columns(source: TableSource, *, target: str | None = None) -> InferredColumns:
    """Return a table's columns with their kinds; raise `InvalidTableError` if it is unreadable."""
    try:
        found = infer_columns(source.relation, target=target)
    except UnreadableError as error:
        raise source.make_error(str(error)) from None
    check_header(list_names(found), source)
    return found


def list_names(table: InferredColumns) -> set[str]:
    """Return the names of all columns, those that are left out too."""
    return {*(column.name for column in table.columns), *table.left_out}


def format_columns(names: Collection[str]) -> str:
    """Return the first columns in alphabetical order, for an error."""
    return join_names(sorted(names), limit=MAX_COLUMNS_NAMED) or "none"


def check_header(names: Collection[str], source: TableSource) -> None:
    """Raise an error if lines were not split into columns, or if two columns have one name.

    DuckDB reads a CSV file whose lines differ in length as a single column, and renames a second
    column `a` to `a_1`.
    """
    whole = next(iter(names)) if len(names) == 1 else ""
    if any(sign in whole for sign in _DELIMITERS):
        fault = (
            f"its lines cannot be split into the columns {whole:.200}: give each line as many"
            " values as the header has names"
        )
        raise source.make_error(fault)
    if not isinstance(source.relation, Path):
        return
    known = {name.lower() for name in names}
    for name in names:
        twin = re.fullmatch(r"(.+)_\d+", name)
        if twin and twin[1].lower() in known and _is_named_twice(source.relation, twin[1]):
            fault = (
                f"has two columns called {twin[1].lower()!r} (case does not count): rename one of"
                " them"
            )
            raise source.make_error(fault)


def check_common_columns(known: Collection[str], current: TableSource) -> None:
    """Raise an error if the current table has none of the reference's columns.

    `known` are the columns of the reference that are compared.
    """
    present = list_names(inspect_columns(current))
    if {*known} & present:
        return
    file = current.relation if isinstance(current.relation, Path) else None
    header = _read_header(file) if file and is_text_file(file) else []
    if {*known} & {*header}:
        fault = (
            f"its lines have {len(present)} values but its header has the names"
            f" {format_columns(header)}: give each line as many values as there are names"
        )
    else:
        fault = (
            "has no column in common with the reference, which has"
            f" {format_columns(known)}; this table has {format_columns(present)}: give two tables"
            " of the same kind, CSV files with a header line"
        )
    raise current.make_error(fault)


def _is_named_twice(path: Path, name: str) -> bool:
    """Return whether a CSV file's first line or a Parquet file's schema has a name twice."""
    names = _read_header(path) if is_text_file(path) else columns_of_parquet(path)
    return [each.lower() for each in names].count(name.lower()) > 1


def _read_header(path: Path) -> list[str]:
    """Return the names in the first line of a CSV file."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as file:
        header = file.readline(_MAX_HEADER_LENGTH)
    return [field.strip().strip("\"'") for field in re.split(f"[{_DELIMITERS}]", header)]
