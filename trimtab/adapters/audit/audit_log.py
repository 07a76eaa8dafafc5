"""Keeps the audit log on disk: one chained JSON Lines file per incident.

An append returns once it is durable. A torn last line is cut off by the next append of the same
incident, if the lines before it are exactly those that the append follows; until then `verify`
reports it.
"""

import secrets
from pathlib import Path
from typing import Final

from trimtab.adapters.audit.audit_chain import (
    BrokenChainError,
    build_line,
    encode_line,
    is_same_incident,
    parse_chain,
)
from trimtab.adapters.audit.audit_file import open_locked, read_locked_file
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, AuditLine
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.slug import slug
from trimtab.files.secret_file import read_or_create_secret
from trimtab.runtime.paths import format_command

KEY_BYTES: Final = 32
"""Smallest length of the key."""


def load_audit_key(path: Path) -> bytes:
    """Return the key of the log's hashes, which is made on first use.

    Raises:
        Refused: The file holds less than a key.
    """
    key = read_or_create_secret(path, lambda: secrets.token_hex(KEY_BYTES).encode()).strip()
    if len(key) < KEY_BYTES:
        msg = f"audit key {path} holds {len(key)} bytes: it needs {KEY_BYTES} or more"
        raise Refused(msg)
    return key


def locate_audit_file(model: str, incident: str) -> str:
    """Return the path of an incident's file below the log's folder."""
    return f"{slug(model)}/{slug(incident)}.jsonl"


class JsonlAuditLog:
    """The append-only record of one deployment, in a folder."""

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def append(self, request: AuditAppend) -> str:
        """Chain the entries, write and fsync them, and return the new tip.

        The same request again changes nothing.

        Raises:
            Refused: The entries do not follow the tip, or the file is not sound.
            Unavailable: The file cannot be written now.
        """
        _check_one_run(request.entries)
        first = request.entries[0]
        path = self._folder / locate_audit_file(first.model, first.incident)
        try:
            return self._append(path, request)
        except OSError as error:
            msg = f"audit log {path}: {error}"
            raise Unavailable(msg) from error

    def lines(self, incident: str, *, model: str | None = None) -> tuple[AuditLine, ...]:
        """Return all lines of one incident, oldest first; none if there is no such incident.

        Raises:
            Refused: The file is not sound, or several models have an incident of that name and
                no model is given.
        """
        folder = slug(model) if model else "*"
        paths = sorted(self._folder.glob(f"{folder}/{slug(incident)}.jsonl"))
        if len(paths) > 1:
            msg = f"incident {incident!r} exists for {len(paths)} models: name the model"
            raise Refused(msg)
        return _parse_sound(paths[0], read_locked_file(paths[0]), self._key) if paths else ()

    def _append(self, path: Path, request: AuditAppend) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_locked(path) as file:
            lines = _parse_sound(path, file.complete_lines, self._key)
            start = _find_tip(request.tip, lines, path)
            known = lines[start : start + len(request.entries)]
            _check_same(known, request.entries, path)
            missing = request.entries[len(known) :]
            if not missing:
                file.sync()  # an earlier attempt may have died between write and fsync
                return known[-1].hash
            _check_follows(missing[0], lines, path)
            added = _build_lines(missing, lines, self._key)
            file.append(b"".join(encode_line(line) for line in added))
            return added[-1].hash


def _check_one_run(entries: tuple[AuditEntry, ...]) -> None:
    first = entries[0]
    for index, entry in enumerate(entries):
        if not is_same_incident(entry, first) or entry.sequence != first.sequence + index:
            msg = (
                f"audit entries do not follow each other: {entry.sequence} of incident "
                f"{entry.incident!r} comes {index} after {first.sequence} of {first.incident!r}"
            )
            raise Refused(msg)


def _parse_sound(path: Path, content: bytes, key: bytes) -> tuple[AuditLine, ...]:
    try:
        return parse_chain(content, key=key)
    except BrokenChainError as broken:
        msg = f"audit log {path}: {broken}; see `{format_command('audit', 'verify')}`"
        raise Refused(msg) from broken


def _find_tip(tip: str, lines: tuple[AuditLine, ...], path: Path) -> int:
    """Return the number of lines up to the tip, the tip's line included."""
    if tip == GENESIS:
        return 0
    for number, line in enumerate(lines, start=1):
        if line.hash == tip:
            return number
    msg = f"audit log {path} has {len(lines)} lines and none with the hash {tip}: cut or replaced"
    raise Refused(msg)


def _check_same(known: tuple[AuditLine, ...], entries: tuple[AuditEntry, ...], path: Path) -> None:
    for line, entry in zip(known, entries, strict=False):
        if line.entry != entry:
            msg = f"audit log {path}: sequence {line.entry.sequence} holds another entry already"
            raise Refused(msg)


def _check_follows(entry: AuditEntry, lines: tuple[AuditLine, ...], path: Path) -> None:
    if entry.sequence != len(lines):
        msg = f"audit log {path}: entry {entry.sequence} cannot follow {len(lines)} lines"
        raise Refused(msg)


def _build_lines(
    entries: tuple[AuditEntry, ...], lines: tuple[AuditLine, ...], key: bytes
) -> list[AuditLine]:
    tip = lines[-1].hash if lines else GENESIS
    added = []
    for entry in entries:
        try:
            added.append(build_line(entry, previous=tip, key=key))
        except ValueError as error:
            msg = f"audit entry {entry.sequence} of {entry.incident!r} has no JSON form: {error}"
            raise Refused(msg) from error
        tip = added[-1].hash
    return added
