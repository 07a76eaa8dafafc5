"""Chains the ends of all chains, so that a removed file or the cut end of an open chain shows.

A chain alone does not show that its last lines, or its file, are gone. So the log keeps one chain
more, of heads: each of its lines names the ends that chains had reached. The model registry keeps
the end of this chain in turn, so that a folder that was rolled back to a backup shows too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter

from trimtab.adapters.audit.audit_chain import (
    BrokenChainError,
    build_line,
    encode_line,
    parse_chain,
    parse_last_line,
)
from trimtab.adapters.audit.audit_file import UnfitFileError, open_locked, read_locked_file
from trimtab.adapters.audit.log_reading import ChainFile, locate_audit_file
from trimtab.contracts.audit import (
    GENESIS,
    AuditEntry,
    AuditLine,
    ChainEnd,
    ChainPosition,
    Gate,
)
from trimtab.contracts.ports import Unavailable
from trimtab.contracts.reconciliation import Discrepancy

HEADS_FILE: Final = "heads.ndjson"
"""Beside the models' folders, where no incident's file can be."""
_SUBJECT: Final = "heads"
_POSITIONS: Final = TypeAdapter(tuple[ChainPosition, ...])

_log = structlog.get_logger(__name__)


class ChainHeads:
    """The chain of heads of one log."""

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._path = folder / HEADS_FILE
        self._key = key

    def append(self, positions: Sequence[ChainPosition], *, at: datetime) -> ChainEnd:
        """Add a line with these ends, make the chain durable, and return its end.

        Without ends nothing is added.

        Raises:
            Unavailable: The file cannot be written, or its last line is not sound.
        """
        try:
            # A sweep may come before the first incident, which makes the folder.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open_locked(self._path) as file:
                last = parse_last_line(file.complete_lines, key=self._key)
                if not positions:
                    file.sync()
                    return _build_end(last)
                line = self._build_line(positions, at=at, last=last)
                file.append(encode_line(line))
                return _build_end(line)
        except (OSError, ValueError) as error:
            msg = f"audit log {self._path}: {error}"
            raise Unavailable(msg) from error

    def note(self, position: ChainPosition, *, at: datetime) -> None:
        """Add one end, if that is possible now: the next sweep adds what is missing."""
        try:
            self.append([position], at=at)
        except Unavailable as error:
            _log.warning("audit_head_not_written", reason=str(error))

    def read(self) -> tuple[AuditLine, ...]:
        """Return every line; none if there is no such file.

        Raises:
            BrokenChainError: The chain is not sound.
            UnfitFileError: It is no file that can be read.
        """
        if not self._path.is_symlink() and not self._path.exists():
            return ()
        return parse_chain(read_locked_file(self._path), key=self._key)

    def select_new(self, ends: Iterable[ChainPosition]) -> list[ChainPosition]:
        """Return the ends that the newest heads do not name.

        Raises:
            Unavailable: The chain of heads is not sound.
        """
        try:
            known = fold_positions(self.read())
        except (BrokenChainError, UnfitFileError) as error:
            msg = f"audit log {self._path}: {error}"
            raise Unavailable(msg) from error
        return [end for end in ends if known.get(_locate(end)) != end]

    def _build_line(
        self, positions: Sequence[ChainPosition], *, at: datetime, last: AuditLine | None
    ) -> AuditLine:
        entry = AuditEntry(
            incident=_SUBJECT,
            model=_SUBJECT,
            correlation_id=_SUBJECT,
            sequence=last.entry.sequence + 1 if last else 0,
            gate=Gate.HEAD,
            at=at,
            actor="trimtab",
            detail={"chains": [each.model_dump(mode="json") for each in positions]},
        )
        return build_line(entry, previous=last.hash if last else GENESIS, key=self._key)


def judge_heads(
    heads: ChainHeads, files: Iterable[ChainFile], *, recorded: ChainEnd | None
) -> Iterator[Discrepancy]:
    """Yield what the chain of heads, and the end of it that the registry keeps, say is missing."""
    try:
        lines = heads.read()
    except (BrokenChainError, UnfitFileError) as error:
        yield _report(f"the chain of heads is not sound: {error}")
        return
    yield from _judge_recorded(lines, recorded)
    present = {file.name: file for file in files}
    for name, end in fold_positions(lines).items():
        file = present.get(name)
        if file is not None and file.fault:
            continue  # its own fault says more
        known = file.lines if file else ()
        if len(known) < end.entries or known[end.entries - 1].hash != end.tip:
            found = f"{len(known)} lines stand" if known else "its file is gone"
            fault = f"had {end.entries} lines when its head was written; {found}: cut or replaced"
            yield Discrepancy(incident=end.incident, model=end.model, fault=fault)


def fold_positions(lines: Iterable[AuditLine]) -> Mapping[str, ChainPosition]:
    """Return the newest end of each chain, by the name of its file.

    Raises:
        BrokenChainError: A line is no head.
    """
    newest: dict[str, ChainPosition] = {}
    for line in lines:
        try:
            positions = _POSITIONS.validate_python(line.entry.detail.get("chains"))
        except ValueError as error:
            fault = f"sequence {line.entry.sequence}: names no ends of chains"
            raise BrokenChainError(fault, sound=()) from error
        newest.update({_locate(each): each for each in positions})
    return newest


def _judge_recorded(lines: Sequence[AuditLine], recorded: ChainEnd | None) -> Iterator[Discrepancy]:
    if recorded is None or recorded.entries == 0:
        return
    if len(lines) < recorded.entries or lines[recorded.entries - 1].hash != recorded.tip:
        yield _report(
            f"the registry keeps a chain of {recorded.entries} heads, and {len(lines)} stand here:"
            " the folder was cut, replaced or rolled back to a backup"
        )


def _report(fault: str) -> Discrepancy:
    return Discrepancy(incident="", model="", fault=fault)


def _build_end(last: AuditLine | None) -> ChainEnd:
    if last is None:
        return ChainEnd(entries=0, tip=GENESIS)
    return ChainEnd(entries=last.entry.sequence + 1, tip=last.hash)


def _locate(position: ChainPosition) -> str:
    return locate_audit_file(position.model, position.incident)
