"""The audit log on disk: one JSON Lines file an incident, chained, and on disk before it returns.

A crash may tear the last line of a file. Nobody was told of a hash in it, for an append returns
only after fsync; so the next append of the same incident cuts it off, if what stands before it
is exactly what that append follows. Until then `verify` reports it.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from trimtab.adapters.audit.audit_chain import (
    BrokenChainError,
    chain,
    read_chain,
    same_incident,
    written,
)
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, AuditLine
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.slug import slug
from trimtab.files.secret_file import read_or_create_secret

KEY_BYTES: Final = 32
_PATIENCE = 5.0
"""Seconds to wait for another appender."""

_log = structlog.get_logger(__name__)


def audit_key(path: Path) -> bytes:
    """The key of the log's hashes; made on first use."""
    key = read_or_create_secret(path, lambda: secrets.token_hex(KEY_BYTES).encode()).strip()
    if len(key) < KEY_BYTES:
        msg = f"audit key {path} holds {len(key)} bytes: it needs {KEY_BYTES} or more"
        raise Refused(msg)
    return key


def place(model: str, incident: str) -> str:
    """Where in the folder an incident's file lies."""
    return f"{slug(model)}/{slug(incident)}.jsonl"


class JsonlAuditLog:
    """The append-only record of one deployment, in a folder."""

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def append(self, request: AuditAppend) -> str:
        """Chain, write and fsync; the new tip. The same request again changes nothing.

        Raises `Refused` when the entries do not follow the tip or the file is not sound.
        """
        _expect_one_run(request.entries)
        path = self._path(request.entries[0])
        try:
            return self._append(path, request)
        except OSError as error:
            msg = f"audit log {path}: {error}"
            raise Unavailable(msg) from error

    def lines(self, incident: str, *, model: str | None = None) -> tuple[AuditLine, ...]:
        """All lines of one incident, oldest first; none if there is no such incident.

        Raises `Refused` when the file is not sound, or when several models have an incident of
        that name and none is given.
        """
        folder = slug(model) if model else "*"
        paths = sorted(self._folder.glob(f"{folder}/{slug(incident)}.jsonl"))
        if len(paths) > 1:
            msg = f"incident {incident!r} exists for {len(paths)} models: name the model"
            raise Refused(msg)
        return _sound(paths[0], read_file(paths[0]), self._key) if paths else ()

    def _path(self, entry: AuditEntry) -> Path:
        return self._folder / place(entry.model, entry.incident)

    def _append(self, path: Path, request: AuditAppend) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path) as descriptor:
            held = _Held(descriptor, path, _read_descriptor(descriptor))
            lines = _sound(path, held.whole, self._key)
            start = _place_of(request.tip, lines, path)
            known = lines[start : start + len(request.entries)]
            _expect_same(known, request.entries, path)
            missing = request.entries[len(known) :]
            if not missing:
                os.fsync(descriptor)
                return known[-1].hash
            _expect_to_follow(missing[0], lines, path)
            added = _chained(missing, lines, self._key)
            held.add(b"".join(written(line) for line in added))
            return added[-1].hash


@dataclass(frozen=True)
class _Held:
    """A file under lock."""

    descriptor: int
    path: Path
    content: bytes

    @property
    def whole(self) -> bytes:
        """Everything up to the last line's end."""
        return self.content[: self.content.rfind(b"\n") + 1]

    def add(self, more: bytes) -> None:
        """Append and make it last; cuts off a torn last line first."""
        torn = len(self.content) - len(self.whole)
        if torn:
            _log.warning("audit_tail_mended", path=str(self.path), bytes=torn)
            os.ftruncate(self.descriptor, len(self.whole))
        view = memoryview(more)
        while view:
            view = view[os.write(self.descriptor, view) :]
        os.fsync(self.descriptor)
        if not self.whole:
            _sync_folder(self.path.parent)
            _sync_folder(self.path.parent.parent)


def _expect_one_run(entries: tuple[AuditEntry, ...]) -> None:
    first = entries[0]
    for place, entry in enumerate(entries):
        if not same_incident(entry, first) or entry.sequence != first.sequence + place:
            msg = (
                f"audit entries do not follow each other: {entry.sequence} of incident "
                f"{entry.incident!r} comes {place} after {first.sequence} of {first.incident!r}"
            )
            raise Refused(msg)


def _sound(path: Path, content: bytes, key: bytes) -> tuple[AuditLine, ...]:
    try:
        return read_chain(content, key=key)
    except BrokenChainError as broken:
        msg = f"audit log {path}: {broken}; see `trimtab audit verify`"
        raise Refused(msg) from broken


def _place_of(tip: str, lines: tuple[AuditLine, ...], path: Path) -> int:
    """How many lines there are up to the tip."""
    if tip == GENESIS:
        return 0
    for place, line in enumerate(lines, start=1):
        if line.hash == tip:
            return place
    msg = f"audit log {path} has {len(lines)} lines and none with the hash {tip}: cut or replaced"
    raise Refused(msg)


def _expect_same(known: tuple[AuditLine, ...], entries: tuple[AuditEntry, ...], path: Path) -> None:
    for line, entry in zip(known, entries, strict=False):
        if line.entry != entry:
            msg = f"audit log {path}: sequence {line.entry.sequence} holds another entry already"
            raise Refused(msg)


def _expect_to_follow(entry: AuditEntry, lines: tuple[AuditLine, ...], path: Path) -> None:
    if entry.sequence != len(lines):
        msg = f"audit log {path}: entry {entry.sequence} cannot follow {len(lines)} lines"
        raise Refused(msg)


def _chained(
    entries: tuple[AuditEntry, ...], lines: tuple[AuditLine, ...], key: bytes
) -> list[AuditLine]:
    tip = lines[-1].hash if lines else GENESIS
    added = []
    for entry in entries:
        try:
            added.append(chain(entry, previous=tip, key=key))
        except ValueError as error:
            msg = f"audit entry {entry.sequence} of {entry.incident!r} has no JSON form: {error}"
            raise Refused(msg) from error
        tip = added[-1].hash
    return added


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file's descriptor, open for reading and appending, with nobody else at it."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        _lock(descriptor, path)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                msg = f"audit log {path} was locked for {_PATIENCE:.0f} s"
                raise Unavailable(msg) from None
            time.sleep(0.01)
        else:
            break
    if os.fstat(descriptor).st_nlink == 0:
        msg = f"audit log {path} was removed while waiting for it"
        raise Unavailable(msg)


def _read_descriptor(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def read_file(path: Path) -> bytes:
    """What a file of the log holds, with no append under way."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return file.read()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
