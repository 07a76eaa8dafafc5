"""What makes a line of the audit log follow another: canonical JSON, a number and a keyed hash.

A line is the RFC 8785 form of `AuditLine`; its hash is HMAC-SHA-256 over the RFC 8785 form of
entry and previous hash. Whoever lacks the key can neither change a line nor make one up.
"""

import hashlib
import hmac
import json
from typing import Any

import rfc8785

from trimtab.contracts.audit import GENESIS, AuditEntry, AuditLine

_LARGEST_EXACT = 2**53 - 1


class BrokenChainError(Exception):
    """The lines do not form a chain."""

    def __init__(self, fault: str, *, sound: tuple[AuditLine, ...]) -> None:
        super().__init__(fault)
        self.sound = sound
        """The lines before the fault."""


def chain(entry: AuditEntry, *, previous: str, key: bytes) -> AuditLine:
    """The entry as the line that follows the one with the hash `previous`."""
    body = {"entry": entry.model_dump(mode="json"), "previous": previous}
    return AuditLine(entry=entry, previous=previous, hash=_hash(body, key))


def written(line: AuditLine) -> bytes:
    """The line as it stands in the file, with its end."""
    return rfc8785.dumps(line.model_dump(mode="json")) + b"\n"


def read_chain(content: bytes, *, key: bytes) -> tuple[AuditLine, ...]:
    """The lines of a file; raises `BrokenChainError` with what is wrong and at which sequence."""
    lines: list[AuditLine] = []
    *whole, tail = content.split(b"\n")
    try:
        for raw in whole:
            line = _read(raw, key=key)
            _expect_in_place(line, lines)
            lines.append(line)
    except ValueError as error:
        raise _broken(str(error).splitlines()[0], lines) from error
    if tail:
        fault = "the last line is torn: a crash, or cut off"
        raise _broken(fault, lines)
    return tuple(lines)


def _broken(fault: str, sound: list[AuditLine]) -> BrokenChainError:
    return BrokenChainError(f"sequence {len(sound)}: {fault}", sound=tuple(sound))


def _read(raw: bytes, *, key: bytes) -> AuditLine:
    plain = json.loads(raw, parse_int=_number)
    if not isinstance(plain, dict) or set(plain) != {"entry", "previous", "hash"}:
        msg = "not a line of this log"
        raise ValueError(msg)
    if rfc8785.dumps(plain) != raw:
        msg = "not in canonical form: edited"
        raise ValueError(msg)
    body = {"entry": plain["entry"], "previous": plain["previous"]}
    if not hmac.compare_digest(_hash(body, key).encode(), str(plain["hash"]).encode()):
        msg = "the hash does not match: edited, or written with another key"
        raise ValueError(msg)
    return AuditLine.model_validate(plain)


def _expect_in_place(line: AuditLine, before: list[AuditLine]) -> None:
    entry = line.entry
    if entry.sequence != len(before):
        msg = f"numbered {entry.sequence}: lines were removed, added or moved"
        raise ValueError(msg)
    if line.previous != (before[-1].hash if before else GENESIS):
        msg = "does not follow the line before it"
        raise ValueError(msg)
    if before and not same_incident(entry, before[0].entry):
        msg = f"speaks of incident {entry.incident!r} of model {entry.model!r}"
        raise ValueError(msg)


def same_incident(one: AuditEntry, other: AuditEntry) -> bool:
    """Whether both belong to one chain."""
    return (one.incident, one.model) == (other.incident, other.model)


def _hash(body: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, rfc8785.dumps(body), hashlib.sha256).hexdigest()


def _number(digits: str) -> int | float:
    """JSON knows floats only: what no float holds exactly was one when it was written."""
    number = int(digits)
    return number if abs(number) <= _LARGEST_EXACT else float(digits)
