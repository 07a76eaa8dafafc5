"""One line of the audit log: chained to the line before it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from contracts.base import Digest, Name, Record

GENESIS = "0" * 64
"""What the first entry of an incident is chained to."""


class Gate(StrEnum):
    """What kind of moment an entry records."""

    OPENED = "opened"
    EVIDENCE = "evidence"
    DELIBERATED = "deliberated"
    DECIDED = "decided"
    ASKED = "asked"
    ANSWERED = "answered"
    AUTHORISED = "authorised"
    INTENDED = "intended"
    EFFECTED = "effected"
    VERIFIED = "verified"
    UNDONE = "undone"
    CLOSED = "closed"


class AuditEntry(Record):
    """What happened at one gate, before it is chained."""

    incident: Name
    """The event id."""
    model: Name
    correlation_id: Name
    sequence: int = Field(ge=0)
    """0 for the first entry; no gaps."""
    previous: Digest
    """Hash of the entry before, or 64 zeros."""
    gate: Gate
    at: AwareDatetime
    actor: str
    """ "trimtab", "policy", an analyst's name or "person:<approver>"."""
    detail: dict[str, JsonValue]


class AuditLine(Record):
    """An entry as it stands in the file."""

    entry: AuditEntry
    hash: Digest
    """HMAC-SHA-256 over the entry's canonical JSON, which holds the previous hash."""


class ChainStatus(Record):
    """What verifying one incident's chain found."""

    incident: Name
    valid: bool
    entries: int
    tip: str
    closed: bool
    """Whether the last entry is a CLOSED one."""
    fault: str = ""
    """What is wrong and at which sequence; empty when valid."""
