"""State of one incident while its workflow runs, and the records that are built from it.

It is ordinary data of the workflow: a replay fills it again from the history, step by step.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from policies.incident import Investigation
    from trimtab.contracts.approval import Answer, ApprovalRequest
    from trimtab.contracts.approvers import ApprovalTerms
    from trimtab.contracts.audit import GENESIS
    from trimtab.contracts.decision import Decision
    from trimtab.contracts.incident import (
        Ending,
        IncidentInput,
        IncidentReport,
        IncidentView,
        Stage,
    )
    from trimtab.contracts.remediation import Outcome


@dataclass
class IncidentState:
    """What is known of an incident so far."""

    case: Investigation
    stage: Stage = Stage.OPENED
    decision: Decision | None = None
    decided_at: datetime | None = None
    request: ApprovalRequest | None = None
    """What a person was asked."""
    outcome: Outcome | None = None
    acted_at: datetime | None = None
    """When the champion was replaced, in the incident's own time."""
    ending: Ending | None = None

    @property
    def incident(self) -> IncidentInput:
        """The workflow's input."""
        return self.case.incident

    def set_failure(self, failure: str) -> None:
        """Replace the failure that the report names."""
        self.case = replace(self.case, failure=failure)

    def add_failure(self, failure: str) -> None:
        """Add a failure to those that the report names."""
        known = [self.case.failure] if self.case.failure else []
        self.case = replace(self.case, failure="; ".join([*known, failure]))

    def build_view(
        self, answers: tuple[Answer, ...], *, terms: ApprovalTerms | None
    ) -> IncidentView:
        """Return the answer to the query `incident`."""
        event = self.incident.event
        return IncidentView(
            event_id=event.id,
            model=event.subject,
            correlation_id=event.correlationid,
            stage=self.stage,
            plan_hash=self.decision.plan_hash if self.decision else None,
            decision=self.decision,
            plan=self.case.plan if self.decision else None,
            confidence=self.case.confidence,
            page=self.request.page if self.request else None,
            deadline=self.request.deadline if self.request else None,
            answers=answers,
            terms=terms,
            ending=self.ending,
        )

    def build_report(
        self,
        ending: Ending,
        answers: tuple[Answer, ...],
        *,
        closed_at: datetime,
    ) -> IncidentReport:
        """Return the report of the closed incident, which does not know its chain's end yet."""
        incident, case = self.incident, self.case
        return IncidentReport(
            event_id=incident.event.id,
            model=incident.event.subject,
            correlation_id=incident.event.correlationid,
            evidence=case.pack,
            deliberation=case.deliberation,
            failure=case.failure,
            confidence=case.confidence,
            decision=self.decision,
            answers=answers,
            outcome=self.outcome,
            preview=case.preview,
            ending=ending,
            published_at=incident.published_at,
            decided_at=self.decided_at,
            acted_at=self.acted_at,
            closed_at=closed_at,
            audit_entries=0,
            audit_tip=GENESIS,
        )
