"""Makes each line of the audit log follow another: canonical JSON, a number and a keyed hash.

A line is the RFC 8785 form of `AuditLine`; its hash is HMAC-SHA-256 over the RFC 8785 form of
entry and previous hash. Without the key, no line can be changed or made up.
"""

import hashlib
import hmac
import json
from typing import Any, Final

import rfc8785

from trimtab.contracts.audit import GENESIS, AuditEntry, AuditLine

_MAX_LINE_BYTES: Final = 4 * 2**20
"""Size from which a line is none of ours: Temporal takes no payload of more than 2 MB."""
_MAX_FAULT_LENGTH: Final = 200
_LARGEST_EXACT: Final = 2**53 - 1
"""Largest integer that a JSON number, which is a double, holds exactly."""


class BrokenChainError(Exception):
    """The lines do not form a chain."""

    def __init__(self, fault: str, *, sound: tuple[AuditLine, ...]) -> None:
        super().__init__(fault)
        self.sound = sound
        """The lines before the fault."""


def build_line(entry: AuditEntry, *, previous: str, key: bytes) -> AuditLine:
    """Return the entry as the line that follows the one with the hash `previous`."""
    body = {"entry": entry.model_dump(mode="json"), "previous": previous}
    return AuditLine(entry=entry, previous=previous, hash=_compute_hash(body, key))


def encode_line(line: AuditLine) -> bytes:
    """Return the line as it stands in the file, with its line break."""
    return rfc8785.dumps(line.model_dump(mode="json")) + b"\n"


def parse_chain(content: bytes, *, key: bytes) -> tuple[AuditLine, ...]:
    """Return the lines of a file.

    Raises:
        BrokenChainError: The message has the sequence number of the first fault, and the fault.
    """
    lines: list[AuditLine] = []
    *complete, tail = content.split(b"\n")
    try:
        for raw in complete:
            line = _parse_line(raw, key=key)
            _check_position(line, lines)
            lines.append(line)
    except RecursionError as error:
        fault = "nested too deeply for a line of this log"
        raise _broken_chain(fault, lines) from error
    except ValueError as error:
        raise _broken_chain(_format_fault(error), lines) from error
    if tail:
        fault = "the last line is torn: by a crash, or because the file was cut"
        raise _broken_chain(fault, lines)
    return tuple(lines)


def parse_last_line(content: bytes, *, key: bytes) -> AuditLine | None:
    """Return the last line of a file of complete lines, or None; the others are not looked at.

    Raises:
        ValueError: It is not a line that was written with the key.
    """
    raw = content.removesuffix(b"\n").rpartition(b"\n")[2]
    return _parse_line(raw, key=key) if raw else None


def is_same_incident(one: AuditEntry, other: AuditEntry) -> bool:
    """Return whether both entries belong to one chain."""
    return (one.incident, one.model) == (other.incident, other.model)


def _broken_chain(fault: str, sound: list[AuditLine]) -> BrokenChainError:
    return BrokenChainError(f"sequence {len(sound)}: {fault}", sound=tuple(sound))


def _format_fault(error: ValueError) -> str:
    """Return the first line of a message, without what could command a terminal."""
    first = (str(error).splitlines() or [""])[0][:_MAX_FAULT_LENGTH]
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in first)


def _parse_line(raw: bytes, *, key: bytes) -> AuditLine:
    if len(raw) > _MAX_LINE_BYTES:
        msg = f"holds {len(raw)} bytes: no line of this log has more than {_MAX_LINE_BYTES}"
        raise ValueError(msg)
    plain = json.loads(raw, parse_int=_parse_integer)
    if not isinstance(plain, dict) or set(plain) != {"entry", "previous", "hash"}:
        msg = "not a line of this log"
        raise ValueError(msg)
    if rfc8785.dumps(plain) != raw:
        msg = "not in canonical form: edited"
        raise ValueError(msg)
    body = {"entry": plain["entry"], "previous": plain["previous"]}
    if not hmac.compare_digest(_compute_hash(body, key).encode(), str(plain["hash"]).encode()):
        msg = "the hash does not match: edited, or written with another key"
        raise ValueError(msg)
    return AuditLine.model_validate(plain)


def _check_position(line: AuditLine, before: list[AuditLine]) -> None:
    entry = line.entry
    if entry.sequence != len(before):
        msg = f"numbered {entry.sequence}: lines were removed, added or moved"
        raise ValueError(msg)
    if line.previous != (before[-1].hash if before else GENESIS):
        msg = "does not follow the line before it"
        raise ValueError(msg)
    if before and not is_same_incident(entry, before[0].entry):
        msg = f"is about incident {entry.incident!r} of model {entry.model!r}"
        raise ValueError(msg)


def _compute_hash(body: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, rfc8785.dumps(body), hashlib.sha256).hexdigest()


def _parse_integer(digits: str) -> int | float:
    """Return an integer, or the double that it was when written if it is too large for one."""
    number = int(digits)
    return number if abs(number) <= _LARGEST_EXACT else float(digits)
