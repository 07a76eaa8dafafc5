"""Checks, before anything is read, that results can be written and that no table is lost by it.

A table may be many files, such as those of a folder: each of them counts.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from trimtab.comparison.errors import InvalidOptionError
from trimtab.comparison.table_sources import TableSource
from trimtab.files.atomic_file import is_written_in_place


def check_output_paths(outputs: Mapping[str, Path], tables: Iterable[TableSource]) -> None:
    """Raise `InvalidOptionError` if a file cannot be written; `outputs` has them by option."""
    files = (file for table in tables for file in table.files)
    taken = {file.resolve(): "is a table that is compared" for file in files}
    for option, path in outputs.items():
        target = path.resolve()
        fault = _find_use(target, taken) or _find_obstacle(path)
        if fault:
            raise InvalidOptionError(fault, subject=option, value=repr(str(path)))
        taken[target] = "is written to by another option"


def _find_use(target: Path, taken: Mapping[Path, str]) -> str:
    """Return what a file is already used for; it may have several names."""
    uses = (taken[file] for file in taken if file == target or _is_same_file(file, target))
    use = next(uses, "")
    return use and f"{use}: name another file"


def _is_same_file(file: Path, target: Path) -> bool:
    return target.exists() and file.exists() and target.samefile(file)


def _find_obstacle(path: Path) -> str:
    """Return why a file cannot be written in its folder, or ""."""
    folder = path.parent
    if not folder.exists():
        return f"there is no folder {str(folder)!r}: create it first, or name another file"
    if not folder.is_dir():
        return f"{str(folder)!r} is not a folder: name another file"
    if path.is_dir():
        return "is a folder: name a file in it"
    replaced = [] if is_written_in_place(path) else [folder]
    written = [path] if path.exists() else []
    if not all(os.access(each, os.W_OK) for each in [*replaced, *written]):
        return "cannot be written to: name another file"
    return ""
