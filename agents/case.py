"""The case as it grows: what the deliberation was started with, and what each step added.

It is what one step of the graph hands to the next; nothing else is remembered between them.
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


class Task(StrEnum):
    """What a role can be asked, in the order of asking."""

    TRIAGE = "triage"
    LOOK = "look"
    CAUSE = "cause"
    PLAN = "plan"
    REVIEW = "review"


class Case(Record):
    """One deliberation under way."""

    data: DeliberationInput
    triage: Triage | None = None
    inspected: tuple[EvidenceItem, ...] = ()
    """What the investigator's tools brought to light."""
    root_cause: RootCause | None = None
    plan: RemediationPlan | None = None
    review: Review | None = None

    @property
    def evidence(self) -> tuple[EvidenceItem, ...]:
        """Everything that can be cited, what was looked up last."""
        return (*self.data.pack.items, *self.inspected)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that exist: the model's, and those that the detector watches."""
        spec, watched = self.data.spec, self.data.event.data.features
        configured = (*(feature.name for feature in spec.features), *spec.time_features)
        names = (*configured, spec.target, *(feature.name for feature in watched))
        return tuple(dict.fromkeys(names))

    @property
    def known_versions(self) -> tuple[str, ...]:
        """Versions of the model that the evidence speaks of."""
        return tuple(dict.fromkeys(item.version for item in self.data.pack.items if item.version))
