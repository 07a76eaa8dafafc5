"""The case as it grows: the input of the deliberation, and what each step added.

One step of the graph hands it to the next; nothing else is remembered between them.
"""

from enum import StrEnum

from trimtab.contracts.base import Record
from trimtab.contracts.deliberation import (
    DeliberationInput,
    RemediationPlan,
    Review,
    RootCause,
    Triage,
)
from trimtab.contracts.evidence import EvidenceItem


class AgentStep(StrEnum):
    """Steps of a deliberation, in their order."""

    TRIAGE = "triage"
    LOOK = "look"
    CAUSE = "cause"
    PLAN = "plan"
    REVIEW = "review"


class Case(Record):
    """One deliberation in progress."""

    data: DeliberationInput
    triage: Triage | None = None
    inspected: tuple[EvidenceItem, ...] = ()
    """Evidence that the investigator's tools found."""
    root_cause: RootCause | None = None
    plan: RemediationPlan | None = None
    review: Review | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that exist: the model's, and those that the detector monitors."""
        spec, monitored = self.data.spec, self.data.event.data.features
        configured = (*(feature.name for feature in spec.features), *spec.time_features)
        names = (*configured, spec.target, *(feature.name for feature in monitored))
        return tuple(dict.fromkeys(names))

    @property
    def known_versions(self) -> tuple[str, ...]:
        """Versions of the model that the evidence mentions."""
        return tuple(dict.fromkeys(item.version for item in self.data.pack.items if item.version))
