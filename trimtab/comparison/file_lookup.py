"""Finds a table in files: one file, a folder of files, or a pattern."""

from glob import glob, has_magic
from pathlib import Path
from typing import Final

from trimtab.comparison.errors import InvalidTableError
from trimtab.comparison.table_sources import TableSource
from trimtab.detection.tables.files import is_text_file

TABLE_SUFFIXES: Final = (".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
_OTHER_SUFFIXES: Final = {
    ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".ipc", ".orc",
    ".avro", ".pkl", ".pickle", ".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".html",
    ".xml", ".yml", ".yaml", ".h5", ".hdf5", ".npy", ".npz", ".sav", ".dta", ".sas7bdat",
}  # fmt: skip
"""Suffixes of files that hold something else than Parquet or CSV."""
_DATABASE_SCHEMES: Final = {".duckdb": "duckdb", ".sqlite": "sqlite", ".sqlite3": "sqlite"}
_PEEK_BYTES: Final = 4096
"""Bytes of a file that are looked at: text has no byte 0, and UTF-16 has one in each letter."""
_GZIP_MAGIC: Final = b"\x1f\x8b"


def find_files(address: str, *, side: str) -> TableSource:
    """Return the table in a file, a folder, or files that match a pattern.

    Raises `InvalidTableError`.
    """
    path = Path(address).expanduser()
    if path.is_file():
        _check_file(path, address, side=side)
        return TableSource(path, side, address, repr(address), str(path.resolve()), (path,))
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if _belongs(each.relative_to(path), each))
    elif has_magic(address):
        matches = map(Path, glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
        found = sorted(each for each in matches if each.is_file())
    elif path.exists() or address == "-":
        fault = "is not a file, but a table is read more than once: write it to a file first"
        raise InvalidTableError(fault, subject=side, value=repr(address))
    else:
        fault = "there is no such file: name a Parquet or CSV file, or a URL"
        raise InvalidTableError(fault, subject=side, value=repr(address))
    if not found:
        kind = "the folder has no file" if path.is_dir() else "the pattern matches no file"
        fault = f"{kind} of a table: names must end in {', '.join(TABLE_SUFFIXES)}"
        raise InvalidTableError(fault, subject=side, value=repr(address))
    for each in found:
        if not each.stat().st_size:
            fault = f"its file {each.name!r} is empty, without even a header: complete or delete it"
            raise InvalidTableError(fault, subject=side, value=repr(address))
    name = f"{address} ({len(found)} {'file' if len(found) == 1 else 'files'})"
    identity = "|".join(str(each.resolve()) for each in found)
    return TableSource(found, side, name, repr(name), identity, tuple(found))


def _belongs(within: Path, path: Path) -> bool:
    """Return whether a file belongs to the folder's table, rather than to some program."""
    hidden = any(part.startswith(".") for part in within.parts)
    return within.name.lower().endswith(TABLE_SUFFIXES) and not hidden and path.is_file()


def _check_file(path: Path, address: str, *, side: str) -> None:
    """Raise an error if the file cannot be a table: DuckDB takes nearly anything for CSV."""
    fault = ""
    suffix = path.suffix.lower()
    if not path.stat().st_size:
        fault = "is empty, without even a header: name a table"
    elif suffix in _OTHER_SUFFIXES:
        fault = f"{path.suffix} files cannot be read: write the table as Parquet or CSV first"
    elif scheme := _DATABASE_SCHEMES.get(suffix):
        fault = f"is a database: name one of its tables, {scheme}://{address}?table=NAME"
    elif is_text_file(path) and _looks_binary(path):
        fault = "is not text, or not UTF-8: write the table as Parquet or as CSV in UTF-8 first"
    if fault:
        raise InvalidTableError(fault, subject=side, value=repr(address))


def _looks_binary(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_PEEK_BYTES)
    return not start.startswith(_GZIP_MAGIC) and start.count(0) * 4 >= len(start)
