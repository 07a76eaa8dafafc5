"""Lines of the audit log, each chained to the line before it, and what verifying them finds."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from trimtab.contracts.base import Digest, Name, Record

GENESIS = "0" * 64
"""Hash that the first entry of an incident is chained to."""


class Gate(StrEnum):
    """Points of an incident at which an entry is recorded."""

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
    """One event at one gate, before it is chained."""

    incident: Name
    """The event id."""
    model: Name
    correlation_id: Name
    sequence: int = Field(ge=0)
    """0 for the first entry, then counted up without gaps."""
    gate: Gate
    at: AwareDatetime
    actor: str
    """ "trimtab", "policy", an analyst's name or "person:<approver>"."""
    detail: dict[str, JsonValue]


class AuditLine(Record):
    """An entry as it is written to the file."""

    entry: AuditEntry
    previous: Digest
    """Hash of the line before, or `GENESIS`."""
    hash: Digest
    """HMAC-SHA-256 over the canonical JSON of entry and previous."""


class AuditAppend(Record):
    """Input of the activity `record`: consecutive entries, and the hash that they follow."""

    entries: tuple[AuditEntry, ...] = Field(min_length=1)
    tip: Digest
    """Hash of the last line written, as the workflow knows it; `GENESIS` if there is none."""


class TipSearch(Record):
    """Input of the activity `find_tip`: a chain and the last hash that the workflow knows of."""

    incident: Name
    model: Name
    tip: Digest


class ChainEnd(Record):
    """Length and tip of a chain."""

    entries: int = Field(ge=0)
    tip: Digest


class ChainStatus(Record):
    """Result of verifying one incident's chain."""

    incident: Name
    valid: bool
    entries: int
    tip: str
    closed: bool
    """Whether the last entry is a CLOSED one."""
    fault: str = ""
    """The fault and its sequence number; empty if the chain is valid."""
    model: str = ""
    """The incident's model; empty if the file does not say."""
    compared: bool = False
    """Whether the chain was compared with a tip that is kept outside of the log; without one, a
    truncated chain cannot be detected."""


class RecordedTip(Record):
    """The tip of a closed incident's chain, as the model registry keeps it."""

    incident: Name
    model: Name
    tip: Digest
    entries: int = Field(ge=0)
