"""Looks at a table's columns before it is read, and refuses what cannot be compared."""

import re
from collections import Counter
from collections.abc import Collection
from typing import Final

from trimtab.charts.text import join_names
from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.column_inference import InferredColumns
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.files import OpenFiles, read_column_names
from trimtab.detection.tables.profiling import infer_columns

MAX_COLUMNS_NAMED: Final = 12
"""Columns that an error names."""


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
    """Raise an error if two columns of a file have one name, which DuckDB tells apart as a, a_1."""
    if not isinstance(source.relation, OpenFiles):
        return
    known = {name.lower() for name in names}
    twins = [re.fullmatch(r"(.+)_\d+", name) for name in names]
    suspects = {twin[1].lower() for twin in twins if twin} & known
    if not suspects:
        return
    for file in source.files:
        present = read_column_names(file)
        counts = Counter(name.lower() for name in present)
        twice = next((name for name in present if counts[name.lower()] > 1), "")
        if twice.lower() in suspects:
            where = f"its file {file.name!r} " if len(source.files) > 1 else ""
            fault = (
                f"{where}has two columns called {twice!r} (case does not count): rename one of them"
            )
            raise source.make_error(fault)


def check_common_columns(known: Collection[str], current: TableSource) -> None:
    """Raise an error if the current table has none of the reference's columns.

    `known` are the columns of the reference that are compared.
    """
    present = list_names(inspect_columns(current))
    if {*known} & present:
        return
    fault = (
        f"has no column in common with the reference, which has {format_columns(known)}; this table"
        f" has {format_columns(present)}: give two tables of the same kind, CSV files with a header"
        " line"
    )
    raise current.make_error(fault)
