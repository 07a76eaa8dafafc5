"""Finds the table that a person named: a file, files of one table, or a table behind a URL."""

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.detection.tables.files import is_text_file

if TYPE_CHECKING:  # takes a second to import, and files need none of it
    import ibis

ENDINGS: Final = (".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
_OF_OTHERS: Final = {
    ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".ipc", ".orc",
    ".avro", ".pkl", ".pickle", ".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".html",
    ".xml", ".yml", ".yaml", ".h5", ".hdf5", ".npy", ".npz", ".sav", ".dta", ".sas7bdat",
}  # fmt: skip
_DATABASES: Final = {".duckdb": "duckdb", ".sqlite": "sqlite", ".sqlite3": "sqlite"}
_PEEK: Final = 4096
"""Bytes of a file that are looked at: text has no byte 0, and UTF-16 has one in each letter."""
_GZIP: Final = b"\x1f\x8b"
_FAR: Final = {"http", "https", "ftp", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hdfs"}
_IN_FILES: Final = ("duckdb", "sqlite")
"""Databases that are a file; Ibis would make a new one where there is none."""

_SECRET: Final = ("password", "token", "secret")
"""Keys of a URL whose values are not shown."""


_NAMED: Final = 12
"""Tables that an error lists."""


class BadInput(TrimtabError):  # noqa: N818 - says what it is
    """What was asked for cannot be done: the thing, its value and the remedy."""

    kind = ErrorKind.INVALID_INPUT


class Table(NamedTuple):
    """A table that is there."""

    relation: "Path | Sequence[Path] | ibis.Table"
    shown: str
    """Where it is, without a password."""
    identity: str
    """The same for the same table."""
    files: tuple[Path, ...] = ()
    """All that it is read from; none where it is on a server."""


def find_table(named: str, *, side: str) -> Table:
    """The table that `side` names: a path, a pattern such as `day=*/*.parquet`, a folder or a URL.

    Raises `BadInput`.
    """
    address = urlsplit(named)
    if "://" in named and address.scheme not in ("", "file"):
        return _behind(address, named, side=side)
    return _in_files(named.removeprefix("file://"), side=side)


def _in_files(named: str, *, side: str) -> Table:
    path = Path(named).expanduser()
    if path.is_file():
        _check_file(path, named, side=side)
        return Table(path, named, str(path.resolve()), (path,))
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if _belongs(each.relative_to(path), each))
    elif has_magic(named):
        every = map(Path, glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
        found = sorted(each for each in every if each.is_file())
    elif path.exists() or named == "-":
        msg = f"{side} {named!r}: is read more than once, and is no file: write it to one first"
        raise BadInput(msg)
    else:
        msg = f"{side} {named!r}: there is no such file: name a Parquet or CSV file, or a URL"
        raise BadInput(msg)
    if not found:
        kind = "folder has no file" if path.is_dir() else "pattern meets no file"
        msg = f"{side} {named!r}: the {kind}: names must end in {', '.join(ENDINGS)}"
        raise BadInput(msg)
    identity = "|".join(str(each.resolve()) for each in found)
    return Table(found, f"{named} ({len(found)} files)", identity, tuple(found))


def _belongs(within: Path, path: Path) -> bool:
    """Whether it is a file of the folder's table, and not a program's own."""
    hidden = any(part.startswith(".") for part in within.parts)
    return within.name.lower().endswith(ENDINGS) and not hidden and path.is_file()


def _check_file(path: Path, named: str, *, side: str) -> None:
    """That it may be a table: DuckDB would take nearly anything for a CSV file."""
    if not path.stat().st_size:
        msg = f"{side} {named!r}: is empty, without even a header: name a table"
        raise BadInput(msg)
    if path.suffix.lower() in _OF_OTHERS:
        msg = f"{side} {named!r}: {path.suffix} is not read: write it as Parquet or CSV first"
        raise BadInput(msg)
    if scheme := _DATABASES.get(path.suffix.lower()):
        msg = f"{side} {named!r}: is a database: name a table of it, {scheme}://{named}?table=NAME"
        raise BadInput(msg)
    with path.open("rb") as file:
        start = file.read(_PEEK)
    if is_text_file(path) and not start.startswith(_GZIP) and start.count(0) * 4 >= len(start):
        msg = f"{side} {named!r}: is no text, or none in UTF-8: write it as Parquet or CSV first"
        raise BadInput(msg)


def _behind(address: SplitResult, named: str, *, side: str) -> Table:
    shown = _without_password(address)
    if address.scheme in _FAR:
        msg = f"{side} {shown!r}: is not fetched: download it, and name the file or its folder"
        raise BadInput(msg)
    given = dict(parse_qsl(address.query, keep_blank_values=True))
    table = given.pop("table", "")
    if not table:
        msg = f"{side} {shown!r}: names no table: add ?table=NAME, or ?table=SCHEMA.NAME"
        raise BadInput(msg)
    place = address._replace(query=urlencode(given))
    options = _options(place, shown, side=side)
    import ibis  # noqa: PLC0415 - see above

    try:
        connection = ibis.connect(_url(place), **options)
        schema, _, name = table.rpartition(".")
        relation = connection.table(name, database=schema or None)
    except ibis.common.exceptions.TableNotFound:
        msg = f"{side} {shown!r}: there is no table {table!r}{_others(connection, schema)}"
        raise BadInput(msg) from None
    except (ImportError, AttributeError):
        msg = (
            f"{side} {shown!r}: no driver for {address.scheme!r} is installed: install"
            f" 'ibis-framework[{address.scheme}]'"
        )
        raise BadInput(msg) from None
    except Exception as error:  # noqa: BLE001 - every engine has errors of its own
        said = _safe(str(error), address) or type(error).__name__
        msg = f"{side} {shown!r}: cannot be reached: {said}: mend the URL"
        raise BadInput(msg) from None
    files = (_database_file(place),) if place.scheme in _IN_FILES else ()
    return Table(relation, shown, named, files)


def _others(connection: "ibis.BaseBackend", schema: str) -> str:
    """The tables that there are, where the engine tells."""
    try:
        there = sorted(connection.list_tables(database=schema or None))
    except Exception:  # noqa: BLE001 - as above: this is only a hint
        return ": mend its name"
    return f": there are {', '.join(there[:_NAMED]) or 'none'}{' …' if len(there) > _NAMED else ''}"


def _options(place: SplitResult, shown: str, *, side: str) -> dict[str, bool]:
    """For a database in a file: that it is there, and is not written to."""
    if place.scheme not in _IN_FILES:
        return {}
    if not _database_file(place).is_file():
        msg = f"{side} {shown!r}: there is no such database file: {place.scheme}://PATH?table=NAME"
        raise BadInput(msg)
    return {"read_only": True} if place.scheme == "duckdb" else {}


def _database_file(place: SplitResult) -> Path:
    return Path(place.netloc + place.path)


def _without_password(address: SplitResult) -> str:
    host = address.netloc
    if address.password is not None:
        host = f"{address.username or ''}@{host.rpartition('@')[2]}"
    hidden = [
        (key, "…" if key.lower() in _SECRET else value)
        for key, value in parse_qsl(address.query, keep_blank_values=True)
    ]
    query = "&".join(f"{key}={value}" for key, value in hidden)
    return _url(address._replace(netloc=host, query=query))


def _url(address: SplitResult) -> str:
    """As it was typed: Python writes duckdb:///a.db as duckdb:/a.db."""
    query = f"?{address.query}" if address.query else ""
    return f"{address.scheme}://{address.netloc}{address.path}{query}"


def _safe(text: str, address: SplitResult) -> str:
    """In one line, without the password."""
    line = " ".join(text.split())[:300]
    secrets = {value for key, value in parse_qsl(address.query) if key.lower() in _SECRET}
    if address.password:
        secrets |= {address.password, unquote(address.password)}
    for secret in secrets:
        line = line.replace(secret, "…")
    return line
