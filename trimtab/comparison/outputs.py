"""Says before anything is read that what is to be written can be, and that no table is lost by it.

A table may be many files, such as those of a folder: each of them counts.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from trimtab.comparison.table_sources import BadInput, Table


def check_outputs(outputs: Mapping[str, Path], tables: Iterable[Table]) -> None:
    """Of each option its file; raises `BadInput`."""
    taken = {file.resolve(): "a table that is compared" for table in tables for file in table.files}
    for option, path in outputs.items():
        place = path.resolve()
        unfinished = place.with_name(f"{place.name}.part")  # what is written is first called so
        if what := _taken(place, taken) or _taken(unfinished, taken):
            msg = f"{option} {str(path)!r}: is {what}: name another file"
            raise BadInput(msg)
        taken[place] = "written to by another option"
        there = next(each for each in (place, *place.parents) if each.exists())
        if not os.access(there, os.W_OK):
            msg = f"{option} {str(path)!r}: {str(there)!r} cannot be written to: name another file"
            raise BadInput(msg)


def _taken(place: Path, taken: Mapping[Path, str]) -> str:
    """What a place is already; a file may have several names, such as on a disk without case."""
    if place in taken or not place.exists():
        return taken.get(place, "")
    return next(
        (what for file, what in taken.items() if file.exists() and place.samefile(file)), ""
    )
