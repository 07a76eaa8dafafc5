"""One line of the audit log: chained to the line before it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from trimtab.contracts.base import Digest, Name, Record

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
    gate: Gate
    at: AwareDatetime
    actor: str
    """ "trimtab", "policy", an analyst's name or "person:<approver>"."""
    detail: dict[str, JsonValue]


class AuditLine(Record):
    """An entry as it stands in the file."""

    entry: AuditEntry
    previous: Digest
    """Hash of the line before, or `GENESIS`."""
    hash: Digest
    """HMAC-SHA-256 over the canonical JSON of entry and previous."""


class AuditAppend(Record):
    """Input of the activity `record`: entries that follow each other, and what they follow."""

    entries: tuple[AuditEntry, ...] = Field(min_length=1)
    tip: Digest
    """Hash of the last line written, as the workflow knows it; `GENESIS` for none."""


class TipSearch(Record):
    """Input of the activity `find_tip`: a chain as the workflow last knew it."""

    incident: Name
    model: Name
    tip: Digest


class ChainEnd(Record):
    """Where a chain stands."""

    entries: int = Field(ge=0)
    tip: Digest


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
    model: str = ""
    """The model of the incident; empty where the file does not tell."""
    compared: bool = False
    """Whether a tip was kept outside the log to compare with: without it a cut end is not seen."""


class RecordedTip(Record):
    """What the model registry remembers of a closed incident's chain."""

    incident: Name
    model: Name
    tip: Digest
    entries: int = Field(ge=0)
