"""Keeps the audit log on disk: one chained JSON Lines file per incident.

An append returns once it is durable. A torn last line is cut off by the next append of the same
incident, if the lines before it are exactly those that the append follows; until then `verify`
reports it. What happens to entries whose place is taken is planned in `append_plan`.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from trimtab.adapters.audit.append_plan import plan_append
from trimtab.adapters.audit.audit_chain import (
    BrokenChainError,
    build_line,
    encode_line,
    is_same_incident,
    parse_chain,
)
from trimtab.adapters.audit.audit_file import UnfitFileError, open_locked, read_locked_file
from trimtab.adapters.audit.chain_heads import ChainHeads
from trimtab.adapters.audit.log_reading import (
    ChainFile,
    find_chain_files,
    locate_audit_file,
    read_chain_file,
)
from trimtab.contracts.audit import (
    GENESIS,
    SWEEPER,
    AuditAppend,
    AuditEntry,
    AuditLine,
    ChainEnd,
    ChainPosition,
    Gate,
)
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.slug import slug
from trimtab.files.secret_file import read_or_create_secret
from trimtab.runtime.paths import format_command

KEY_BYTES: Final = 32
"""Smallest length of the key."""
_GATES_WITH_HEAD: Final = frozenset({Gate.OPENED, Gate.CLOSED})
"""Gates at which the chain of heads is told at once; the sweep adds the others."""


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


class JsonlAuditLog:
    """The append-only record of one deployment, in a folder."""

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self._heads = ChainHeads(folder, key=key)
        self._seen: dict[str, _SeenFile] = {}

    def append(self, request: AuditAppend) -> ChainEnd:
        """Chain the entries, write and fsync them, and return where the chain ends with them.

        The same request again changes nothing, at whatever time it was made. If other entries hold
        its place, a line names the conflict, and the entries follow it with other numbers.

        Raises:
            Refused: The chain does not hold the tip, or the file is not sound.
            Unavailable: The file cannot be written now.
        """
        _check_one_run(request.entries)
        first = request.entries[0]
        path = self._folder / locate_audit_file(first.model, first.incident)
        try:
            end, added = self._append(path, request)
        except OSError as error:
            msg = f"audit log {path}: {error}"
            raise Unavailable(msg) from error
        if any(line.entry.gate in _GATES_WITH_HEAD for line in added):
            position = ChainPosition(
                incident=first.incident, model=first.model, entries=end.entries, tip=end.tip
            )
            self._heads.note(position, at=request.entries[-1].at)
        return end

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
        return _parse_sound(paths[0], _read_fit(paths[0]), self._key) if paths else ()

    def list_chains_to_settle(self) -> tuple[tuple[AuditLine, ...], ...]:
        """Return the sound chains without an end, and those that a sweep has ended."""
        return tuple(
            seen.lines
            for seen in self._look_through()
            if seen.lines and not seen.is_finished and not seen.fault
        )

    def update_heads(self, *, at: datetime) -> ChainEnd:
        """Add the ends that the chain of heads lacks; return its end, which is durable then.

        Raises:
            Unavailable: The chain of heads cannot be read or written.
        """
        ends = [seen.position for seen in self._look_through() if seen.position]
        return self._heads.append(self._heads.select_new(ends), at=at)

    def _look_through(self) -> list["_SeenFile"]:
        """Return every file of the log; one that has not changed is not read again."""
        seen: dict[str, _SeenFile] = {}
        for name, path in find_chain_files(self._folder):
            before = self._seen.get(name)
            state = _get_state(path)
            if before is None or before.state != state or not before.is_finished:
                before = _see(read_chain_file(path, name=name, key=self._key), state)
            seen[name] = before
        self._seen = seen
        return list(seen.values())

    def _append(self, path: Path, request: AuditAppend) -> tuple[ChainEnd, list[AuditLine]]:
        """Return where the chain ends, and the lines that were written now."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_locked(path) as file:
            lines = _parse_sound(path, file.complete_lines, self._key)
            start = _find_tip(request.tip, lines, path)
            _check_follows(request.entries[0], start, path)
            with _refuse_without_json(request):
                plan = plan_append(request, lines, start=start)
                added = _build_lines(plan.missing, lines, self._key)
                data = b"".join(encode_line(line) for line in added)
            if added:
                file.append(data)
            else:
                file.sync()  # an earlier attempt may have died between write and fsync
            whole = (*lines[: plan.known], *added)
            return ChainEnd(entries=len(whole), tip=whole[-1].hash), added


@dataclass(frozen=True)
class _SeenFile:
    """What is kept of a file between two looks: of a finished chain only its end."""

    state: tuple[int, int]
    fault: str
    is_finished: bool
    position: ChainPosition | None
    lines: tuple[AuditLine, ...] = ()


def _see(file: ChainFile, state: tuple[int, int]) -> _SeenFile:
    last = file.lines[-1] if file.lines else None
    closed = last is not None and last.entry.gate is Gate.CLOSED
    finished = closed and last is not None and last.entry.actor != SWEEPER
    position = None
    if last is not None and not file.fault:
        position = ChainPosition(
            incident=last.entry.incident,
            model=last.entry.model,
            entries=len(file.lines),
            tip=last.hash,
        )
    return _SeenFile(state, file.fault, finished, position, () if finished else file.lines)


def _get_state(path: Path) -> tuple[int, int]:
    """Return size and time of change; a file that is gone, or no file, has none."""
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)


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


def _read_fit(path: Path) -> bytes:
    try:
        return read_locked_file(path)
    except UnfitFileError as unfit:
        msg = f"audit log {path} {unfit}"
        raise Refused(msg) from unfit


def _find_tip(tip: str, lines: tuple[AuditLine, ...], path: Path) -> int:
    """Return the number of lines up to the tip, the tip's line included."""
    if tip == GENESIS:
        return 0
    for number, line in enumerate(lines, start=1):
        if line.hash == tip:
            return number
    msg = f"audit log {path} has {len(lines)} lines and none with the hash {tip}: cut or replaced"
    raise Refused(msg)


def _check_follows(entry: AuditEntry, start: int, path: Path) -> None:
    if entry.sequence != start:
        msg = f"audit log {path}: entry {entry.sequence} cannot follow {start} lines"
        raise Refused(msg)


def _build_lines(
    entries: tuple[AuditEntry, ...], lines: tuple[AuditLine, ...], key: bytes
) -> list[AuditLine]:
    """Return the entries as lines that follow all the others."""
    tip = lines[-1].hash if lines else GENESIS
    added = []
    for entry in entries:
        added.append(build_line(entry, previous=tip, key=key))
        tip = added[-1].hash
    return added


@contextmanager
def _refuse_without_json(request: AuditAppend) -> Iterator[None]:
    """Raise `Refused` if an entry has no canonical JSON form."""
    try:
        yield
    except ValueError as error:
        first = request.entries[0]
        msg = (
            f"audit entries from {first.sequence} of {first.incident!r} have no JSON form: {error}"
        )
        raise Refused(msg) from error
