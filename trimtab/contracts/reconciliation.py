"""What the audit log is held against, and where the two disagree."""

from pydantic import AwareDatetime

from trimtab.contracts.base import Record


class Discrepancy(Record):
    """A place where the log and the world disagree."""

    incident: str
    """The event id; empty if no incident is meant."""
    model: str
    """Empty if no model is meant."""
    fault: str
    """What disagrees, as a sentence without its subject."""
    grave: bool = True
    """Whether it is a fault; otherwise it is worth knowing."""


class IncidentWorkflow(Record):
    """A workflow of the namespace that acts for an incident, or has the id of one that would."""

    id: str
    type: str
    running: bool
    started_at: AwareDatetime
