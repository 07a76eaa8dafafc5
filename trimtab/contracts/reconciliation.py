"""What the audit log is held against, and where the two disagree."""

from pydantic import AwareDatetime

from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.base import Digest, ForeignName, ForeignText, Record


class Discrepancy(Record):
    """A place where the log and the world disagree."""

    incident: ForeignName
    """The event id; empty if no incident is meant."""
    model: ForeignName
    """Empty if no model is meant."""
    fault: ForeignText
    """What disagrees, as a sentence without its subject. It may hold a workflow's name that
    anybody has chosen."""
    grave: bool = True
    """Whether it is a fault; otherwise it is worth knowing."""

    def __str__(self) -> str:
        incident = self.incident and f"incident {self.incident}"
        subject = ", ".join(filter(None, [self.model, incident]))
        return f"{subject}: {self.fault}" if subject else self.fault


class ConfigurationPeriod(Record):
    """A policy or specification, by its hash, and the time for which it was in force."""

    hash: Digest
    since: AwareDatetime
    until: AwareDatetime | None = None
    """None for the one in force."""


class ComparedLog(Record):
    """The audit log as it stands, and where it disagrees with the registry and Temporal."""

    statuses: tuple[ChainStatus, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()

    def confirm(self, earlier: "ComparedLog") -> "ComparedLog":
        """Return the same without the disagreements that an earlier look did not find.

        An incident at work may change the registry between the reading of the log and that of the
        registry. Then its lines are there by the second look.
        """
        lasting = tuple(each for each in self.discrepancies if each in earlier.discrepancies)
        return self.model_copy(update={"discrepancies": lasting})

    def list_findings(self) -> tuple[Discrepancy, ...]:
        """Return everything that is wrong, chains that are not valid included; grave ones first."""
        broken = (
            Discrepancy(incident=each.incident, model=each.model, fault=each.fault)
            for each in self.statuses
            if not each.valid
        )
        return tuple(sorted((*broken, *self.discrepancies), key=lambda each: not each.grave))


class ReconciliationReport(Record):
    """Result of holding the audit log against the registry and Temporal."""

    at: AwareDatetime
    chains: int
    """Chains that were read."""
    discrepancies: tuple[Discrepancy, ...] = ()
    """Grave ones first; no more than a notice and a history can carry."""
    not_listed: int = 0
    """Number of further ones."""

    @property
    def faults(self) -> tuple[Discrepancy, ...]:
        """The grave discrepancies."""
        return tuple(each for each in self.discrepancies if each.grave)


class IncidentWorkflow(Record):
    """A workflow of the namespace that acts for an incident, or has the id of one that would."""

    id: str
    type: str
    running: bool
    started_at: AwareDatetime
    first_run: str = ""
    """Id of the run that somebody started, which a reset keeps; looked up only where an id has
    several runs."""
