"""What one check of `trimtab doctor` found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    thing: str
    """What was looked at, such as "model parking" or "Redis"."""
    state: State
    said: str
    remedy: str = ""


def fine(thing: str, said: str) -> Finding:
    """All is as it should be."""
    return Finding(thing, State.FINE, said)


def note(thing: str, said: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(thing, State.NOTE, said, remedy)


def fault(thing: str, said: str, remedy: str) -> Finding:
    """Wrong, and what to do about it."""
    return Finding(thing, State.FAULT, said, remedy)
