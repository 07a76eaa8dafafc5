"""Finds the table that was given, whatever it is."""

from collections.abc import Collection
from os import PathLike, fspath
from urllib.parse import urlsplit

from trimtab.comparison.database_lookup import find_database_table
from trimtab.comparison.file_lookup import find_files
from trimtab.comparison.memory_lookup import find_memory_table
from trimtab.comparison.table_sources import TableLike, TableSource


def find_table(table: TableLike, *, side: str, columns: Collection[str] = ()) -> TableSource:
    """Return the table that was given as the argument `side`.

    `columns` are names that options mention: a level of a pandas index that is among them counts
    as a column. Raises `InvalidTableError`.
    """
    if not isinstance(table, str | PathLike):
        return find_memory_table(table, side=side, columns=columns)
    address = fspath(table)
    if "://" in address and urlsplit(address).scheme not in ("", "file"):
        return find_database_table(address, side=side)
    return find_files(address.removeprefix("file://"), side=side)
