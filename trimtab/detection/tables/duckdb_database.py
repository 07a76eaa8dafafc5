"""The DuckDB databases of this process: one for tables whose rows have an order, one for others.

They are kept because to start one takes longer than to count a small file. They hold no data.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,  # it would keep what was read of a file
}


@contextmanager
def open_connection(*, ordered: bool = False) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Yield a connection; in an `ordered` database rows keep their order, at some memory."""
    with _start_database(ordered=ordered).cursor() as connection:
        yield connection


def discard_databases() -> None:
    """Start new databases from now on: after a fatal error DuckDB answers nothing more."""
    _start_database.cache_clear()


@cache
def _start_database(*, ordered: bool) -> "duckdb.DuckDBPyConnection":
    import duckdb  # noqa: PLC0415 - a tenth of a second, and many import this module

    connection = duckdb.connect(config={**_SETTINGS, "preserve_insertion_order": ordered})
    with suppress(duckdb.CatalogException):  # a setting of DuckDB 2.0
        connection.execute("SET GLOBAL read_ahead_depth = 0")  # else memory grows with the file
    with suppress(duckdb.CatalogException):  # a setting of an extension that may be missing
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection
