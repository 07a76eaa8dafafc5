"""Lines of the audit log, each chained to the line before it, and what verifying them finds."""

from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from trimtab.contracts.base import Digest, Name, Record

GENESIS = "0" * 64
"""Hash that the first entry of an incident is chained to."""
SWEEPER: Final = "sweeper"
"""Actor of the entries that close an incident whose workflow is gone."""
CLOCK_FIELDS: Final = frozenset({"asked_at", "deadline", "received_at", "times"})
"""Fields of a detail that come from the workflow's clock, so that a task that is executed again
gives other values. They do not belong to what an entry says."""


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
    CONFLICT = "conflict"
    """Another entry was presented for a place that was taken; the entries presented follow."""
    HEAD = "head"
    """Ends of chains, in the log's own chain of heads; never in an incident's chain."""


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

    @property
    def content(self) -> dict[str, JsonValue]:
        """What the entry says, without its number and what it owes to the clock.

        A workflow task that is executed again, because its worker died, says the same later.
        """
        content: dict[str, JsonValue] = self.model_dump(mode="json", exclude={"at", "sequence"})
        kept = {name: value for name, value in self.detail.items() if name not in CLOCK_FIELDS}
        return {**content, "detail": kept}


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


class RecordedEnd(Record):
    """Result of the activity `record`: where the chain ends with the entries.

    Histories of earlier releases hold the tip alone, as text.
    """

    tip: Digest
    entries: int | None = Field(default=None, ge=0)
    """Number of lines up to the tip; None if the history does not say."""

    @model_validator(mode="before")
    @classmethod
    def _read_tip_alone(cls, value: object) -> object:
        return {"tip": value} if isinstance(value, str) else value


class TipSearch(Record):
    """Input of the activity `find_tip`: a chain and the last hash that the workflow knows of."""

    incident: Name
    model: Name
    tip: Digest


class ChainPosition(Record):
    """The end that one incident's chain had reached, as the chain of heads names it."""

    incident: Name
    model: Name
    entries: int = Field(ge=1)
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
