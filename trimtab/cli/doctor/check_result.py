"""The result of one check of `trimtab doctor`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from trimtab.contracts.redaction import redact_passwords


class CheckState(StrEnum):
    """How bad a result is, from good to bad."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    FAULT = "fault"


@dataclass(frozen=True)
class CheckResult:
    """What one check found."""

    thing: str
    """What was checked, such as "Redis" or "model parking"."""
    state: CheckState
    found: str
    remedy: str = ""
    """What to do; empty where nothing has to be done, or where `found` says it."""
    model: str | None = None
    """The model that it is about; None for the stack and the machine."""

    @classmethod
    def fine(cls, thing: str, found: str) -> Self:
        """Return a result that is as it should be."""
        return cls(thing, CheckState.FINE, found)

    @classmethod
    def note(cls, thing: str, found: str, remedy: str = "") -> Self:
        """Return a result that is worth knowing."""
        return cls(thing, CheckState.NOTE, redact_passwords(found), redact_passwords(remedy))

    @classmethod
    def fault(cls, thing: str, found: str, remedy: str = "") -> Self:
        """Return a result that is wrong."""
        return cls(thing, CheckState.FAULT, redact_passwords(found), redact_passwords(remedy))
