"""Finds the table that a person named: a file, files of one table, or a table behind a URL."""

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:  # takes a second to import, and files need none of it
    import ibis

ENDINGS: Final = (".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
_IN_FILES: Final = ("duckdb", "sqlite")
"""Databases that are a file; Ibis would make a new one where there is none."""


class BadInput(Exception):  # noqa: N818 - says what it is
    """What was asked for cannot be done: the thing, its value and the remedy."""


class Table(NamedTuple):
    """A table that is there."""

    relation: "Path | Sequence[Path] | ibis.Table"
    shown: str
    """Where it is, without a password."""
    identity: str
    """The same for the same table."""


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
        return Table(path, named, str(path.resolve()))
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.name.endswith(ENDINGS))
    elif has_magic(named):
        every = map(Path, glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
        found = sorted(each for each in every if each.is_file())
    elif path.exists():
        msg = f"{side} {named!r}: is read more than once, and is no file: write it to one first"
        raise BadInput(msg)
    else:
        msg = f"{side} {named!r}: there is no such file: name a Parquet or CSV file, or a URL"
        raise BadInput(msg)
    if not found:
        kind = "folder has no file" if path.is_dir() else "pattern meets no file"
        msg = f"{side} {named!r}: the {kind}: names must end in {', '.join(ENDINGS)}"
        raise BadInput(msg)
    return Table(found, f"{named} ({len(found)} files)", "|".join(str(f.resolve()) for f in found))


def _behind(address: SplitResult, named: str, *, side: str) -> Table:
    shown = _without_password(address)
    given = dict(parse_qsl(address.query, keep_blank_values=True))
    table = given.pop("table", "")
    if not table:
        msg = f"{side} {shown!r}: names no table: add ?table=NAME, or ?table=SCHEMA.NAME"
        raise BadInput(msg)
    place = address._replace(query=urlencode(given))
    options = _options(place, shown, side=side)
    import ibis  # noqa: PLC0415 - see above

    try:
        connection = ibis.connect(place.geturl(), **options)
        schema, _, name = table.rpartition(".")
        relation = connection.table(name, database=schema or None)
    except (ImportError, AttributeError, ModuleNotFoundError) as error:
        msg = (
            f"{side} {shown!r}: no engine for {address.scheme!r} is installed ({error}): install "
            f"ibis-framework[{address.scheme}]"
        )
        raise BadInput(msg) from None
    except Exception as error:  # noqa: BLE001 - every engine has errors of its own
        said = _safe(str(error), address) or type(error).__name__
        msg = f"{side} {shown!r}: cannot be reached: {said}: mend the URL or the name of the table"
        raise BadInput(msg) from None
    return Table(relation, shown, named)


def _options(place: SplitResult, shown: str, *, side: str) -> dict[str, bool]:
    """For a database in a file: that it is there, and is not written to."""
    if place.scheme not in _IN_FILES:
        return {}
    if not Path(place.netloc + place.path).is_file():
        msg = f"{side} {shown!r}: there is no such database file: {place.scheme}://PATH?table=NAME"
        raise BadInput(msg)
    return {"read_only": True} if place.scheme == "duckdb" else {}


def _without_password(address: SplitResult) -> str:
    host = address.netloc
    if address.password is not None:
        host = f"{address.username or ''}@{host.rpartition('@')[2]}"
    hidden = [
        (key, "…" if key.lower() in ("password", "token", "secret") else value)
        for key, value in parse_qsl(address.query, keep_blank_values=True)
    ]
    query = "&".join(f"{key}={value}" for key, value in hidden)
    return address._replace(netloc=host, query=query).geturl()


def _safe(text: str, address: SplitResult) -> str:
    """In one line, without the password."""
    line = " ".join(text.split())[:300]
    return line.replace(address.password, "…") if address.password else line
