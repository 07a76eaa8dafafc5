"""What is to be done about an incident whose workflow is gone, and what a sweep has done."""

from enum import StrEnum

from pydantic import AwareDatetime

from trimtab.contracts.base import Name, Record, Text
from trimtab.contracts.remediation import ActionOrder


class SettlementKind(StrEnum):
    """What an abandoned incident needs."""

    NOTHING = "nothing"
    """It changed nothing, or what it changed was verified or undone."""
    RESTORE = "restore"
    """It made a version champion that was never verified: the former champion is to serve again."""
    EXAMINE = "examine"
    """It may have changed something, and somebody has moved the champion since."""


class Settlement(Record):
    """What an abandoned incident needs, and why."""

    kind: SettlementKind
    reason: Text
    champion: str | None = None
    """The version that is champion now."""
    restore: str | None = None
    """The version that was champion before the incident, if it is to be restored."""


class AbandonedIncident(Record):
    """An incident that a sweep has closed."""

    incident: Name
    model: Name
    last_gate: str
    """Gate of the last line before the sweep."""
    last_at: AwareDatetime
    settlement: Settlement

    def __str__(self) -> str:
        return (
            f"{self.model}: incident {self.incident} was abandoned at `{self.last_gate}`:"
            f" {self.settlement.reason}"
        )


class SweepReport(Record):
    """Result of one sweep."""

    open_chains: int
    """Chains without an end, those whose workflows run included."""
    abandoned: tuple[AbandonedIncident, ...] = ()
    restorations: tuple[ActionOrder, ...] = ()
    """Orders to undo what abandoned incidents changed and nobody verified; a later sweep closes
    these incidents."""
    heads: int = 0
    """Length of the chain of heads."""
