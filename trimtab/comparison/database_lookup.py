"""Finds a table in a database that Ibis can reach, by its URL."""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from trimtab.charts.text import join_names
from trimtab.comparison.errors import InvalidTableError
from trimtab.comparison.table_sources import TableSource

if TYPE_CHECKING:
    import ibis

_DOWNLOAD_SCHEMES: Final = {
    "http", "https", "ftp", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hdfs",
}  # fmt: skip
"""Addresses of files, which have to be downloaded."""
_FILE_DATABASES: Final = ("duckdb", "sqlite")
"""Databases in a file; Ibis would create one that does not exist."""
_SECRET_KEYS: Final = ("password", "token", "secret")
"""Keys of a URL whose values are not shown."""
_TABLES_LISTED: Final = 12
"""Tables that an error names."""
_MAX_MESSAGE_LENGTH: Final = 300
"""Characters of an engine's error that are shown."""


def find_database_table(address: str, *, side: str) -> TableSource:
    """Return the table behind a URL such as postgres://user@host/base?table=schema.name.

    Raises `InvalidTableError`, which shows no password.
    """
    url = urlsplit(address)
    name = _hide_password(url)
    if url.scheme in _DOWNLOAD_SCHEMES:
        fault = "remote files are not downloaded: download it, and name the file or its folder"
        raise InvalidTableError(fault, subject=side, value=repr(name))
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    table = options.pop("table", "")
    if not table:
        fault = "names no table: add ?table=NAME or ?table=SCHEMA.NAME"
        raise InvalidTableError(fault, subject=side, value=repr(name))
    database = url._replace(query=urlencode(options))
    in_file = database.scheme in _FILE_DATABASES
    if in_file and not _locate_file(database).is_file():
        fault = f"there is no such database file: name it as {url.scheme}://PATH?table=NAME"
        raise InvalidTableError(fault, subject=side, value=repr(name))
    if not in_file and not _has_sound_port(database):
        # The error of Python, or of a driver, would show a part of the password.
        fault = "has no port where one is expected: write %2F for / and %40 for @ in a password"
        raise InvalidTableError(fault, subject=side, value=repr(name))
    relation = _connect(database, table, name=name, side=side)
    files = (_locate_file(database),) if in_file else ()
    return TableSource(relation, side, name, repr(name), address, files)


def _has_sound_port(database: SplitResult) -> bool:
    try:
        return database.port is None or database.port > 0
    except ValueError:
        return False


def _connect(database: SplitResult, table: str, *, name: str, side: str) -> "ibis.Table":
    try:
        import ibis  # noqa: PLC0415 - takes a second
    except ModuleNotFoundError:
        fault = f"reading a database needs Ibis: install {_name_packages(database.scheme)}"
        raise InvalidTableError(fault, subject=side, value=repr(name)) from None
    options = {"read_only": True} if database.scheme == "duckdb" else {}
    schema, _, bare = table.rpartition(".")
    try:
        connection = ibis.connect(_format_url(database), **options)
        return connection.table(bare, database=schema or None)
    except ibis.common.exceptions.TableNotFound:
        fault = f"there is no table {table!r}{_hint_tables(connection, schema)}"
    except (ImportError, AttributeError):
        package = f"'ibis-framework[{database.scheme}]'"
        fault = f"no driver for {database.scheme!r} is installed: install {package}"
    except Exception as error:  # noqa: BLE001 - every engine has errors of its own
        said = _remove_secrets(str(error), database) or type(error).__name__
        fault = f"cannot be reached: {said}: correct the URL"
    raise InvalidTableError(fault, subject=side, value=repr(name))


def _name_packages(scheme: str) -> str:
    """Return what to install if Ibis is missing, quoted for a shell."""
    ours, drivers = "'trimtab[ibis]'", f"'ibis-framework[{scheme}]'"
    return ours if scheme == "duckdb" else f"{ours} {drivers}"


def _hint_tables(connection: "ibis.BaseBackend", schema: str) -> str:
    """Return a hint that lists the tables, if the engine can list them."""
    try:
        tables = sorted(connection.list_tables(database=schema or None))
    except Exception:  # noqa: BLE001 - every engine has errors of its own
        return ": correct its name"
    return f": there are {join_names(tables, limit=_TABLES_LISTED) or 'none'}"


def _locate_file(database: SplitResult) -> Path:
    return Path(database.netloc + database.path)


def _hide_password(url: SplitResult) -> str:
    """Return the address without a password."""
    host = url.netloc
    if url.password is not None:
        host = f"{url.username or ''}@{host.rpartition('@')[2]}"
    shown = [
        (key, "…" if key.lower() in _SECRET_KEYS else value)
        for key, value in parse_qsl(url.query, keep_blank_values=True)
    ]
    query = "&".join(f"{key}={value}" for key, value in shown)
    return _format_url(url._replace(netloc=host, query=query))


def _format_url(url: SplitResult) -> str:
    """Return the address as it was typed: Python writes duckdb:///a.db as duckdb:/a.db."""
    query = f"?{url.query}" if url.query else ""
    return f"{url.scheme}://{url.netloc}{url.path}{query}"


def _remove_secrets(text: str, url: SplitResult) -> str:
    """Return an engine's error in one line, without the password."""
    line = " ".join(text.split())[:_MAX_MESSAGE_LENGTH]
    secrets = {value for key, value in parse_qsl(url.query) if key.lower() in _SECRET_KEYS}
    if url.password:
        secrets |= {url.password, unquote(url.password)}
    for secret in secrets:
        line = line.replace(secret, "…")
    return line
