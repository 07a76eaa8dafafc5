"""Reads every chain of a log: each file in its folder gives lines, or a fault."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trimtab.adapters.audit.audit_chain import BrokenChainError, parse_chain
from trimtab.adapters.audit.audit_file import UnfitFileError, read_locked_file
from trimtab.contracts.audit import AuditLine
from trimtab.contracts.slug import slug

CHAIN_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class ChainFile:
    """One file of a log, as far as it can be read."""

    name: str
    """Its path below the log's folder."""
    lines: tuple[AuditLine, ...]
    """The lines before the first fault."""
    fault: str
    """Empty if there is none."""


def locate_audit_file(model: str, incident: str) -> str:
    """Return the path of an incident's file below the log's folder."""
    return f"{slug(model)}/{slug(incident)}{CHAIN_SUFFIX}"


def read_chain_files(folder: Path, *, key: bytes) -> tuple[ChainFile, ...]:
    """Return every file of the log, by name; one that cannot be read has its fault."""
    return tuple(
        read_chain_file(path, name=name, key=key) for name, path in sorted(find_chain_files(folder))
    )


def read_chain_file(path: Path, *, name: str, key: bytes) -> ChainFile:
    """Return the lines of one file, or those before the first fault."""
    try:
        return ChainFile(name, parse_chain(read_locked_file(path), key=key), "")
    except BrokenChainError as broken:
        return ChainFile(name, broken.sound, str(broken))
    except UnfitFileError as unfit:
        return ChainFile(name, (), str(unfit))


def has_chain_files(folder: Path) -> bool:
    """Return whether the folder holds anything with a chain's name."""
    return next(find_chain_files(folder), None) is not None


def find_chain_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path; links to folders are not followed, so that no circle has no end."""
    for parent, folders, files in os.walk(folder):
        for each in (*folders, *files):
            if each.endswith(CHAIN_SUFFIX):
                path = Path(parent, each)
                yield path.relative_to(folder).as_posix(), path
