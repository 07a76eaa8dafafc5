"""An incident: its input, its state while it is open, and its report."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from trimtab.contracts.approval import Answer, TemporalCommand
from trimtab.contracts.approvers import ApprovalTerms
from trimtab.contracts.base import Digest, Name, NonNegativeDuration, Record
from trimtab.contracts.decision import Confidence, Decision, Limits
from trimtab.contracts.deliberation import RULE_ANALYST, Deliberation, RemediationPlan
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import ChallengerPreview, EvidencePack
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Outcome


class Stage(StrEnum):
    """Stages of an open incident, shown in the search attribute `TrimtabStage`."""

    OPENED = "opened"
    INVESTIGATING = "investigating"
    DELIBERATING = "deliberating"
    DECIDING = "deciding"
    WAITING = "waiting_for_person"
    REMEDIATING = "remediating"
    CLOSED = "closed"


NOT_AUTHORISED: Final = "not authorised"
"""What the failure of an incident begins with whose plan the mint refused: nothing was changed."""


class Ending(StrEnum):
    """Ways in which an incident can end."""

    MONITORED = "monitored"
    """The policy decided that monitoring is enough."""
    NOTIFIED = "notified"
    """The owner was told to mend the data at its source; nothing was to be decided."""
    REMEDIATED = "remediated"
    """An action was taken, and verified to have helped."""
    NOT_PROMOTED = "not_promoted"
    """A challenger was trained but did not beat the champion: nothing changed."""
    NOT_VERIFIED = "not_verified"
    """An action was taken and undone, because no labelled rows could verify it."""
    UNDONE = "undone"
    """An action was taken and undone, because it made the metric worse."""
    REJECTED = "rejected"
    """A person rejected the plan."""
    EXPIRED = "expired"
    """No answer came in time; nothing was done."""
    ACKNOWLEDGED = "acknowledged"
    """A person took over an incident that had no plan to execute."""
    SUPERSEDED = "superseded"
    """Another remediation of the same model was running, or had replaced the champion; this one
    changed nothing."""
    CANCELLED = "cancelled"
    """Somebody cancelled the workflow; changes made until then were undone."""
    FAILED = "failed"
    """An authorised action could not be carried out; changes made until then were undone."""
    ABANDONED = "abandoned"
    """The workflow was gone before it ended; the sweeper closed the audit chain."""


class IncidentInput(Record):
    """Input of `DriftResponseWorkflow`; the policy's limits and their hash travel with it."""

    event: DriftEvent
    spec: ModelSpec
    limits: Limits
    policy_hash: Digest
    analyst: str = RULE_ANALYST
    deliberation_timeout: NonNegativeDuration = timedelta(minutes=4)
    """Time after which the agents are stopped and the incident escalates."""
    call_timeout: NonNegativeDuration = timedelta(seconds=60)
    """Timeout of one model call of the agents."""
    published_at: AwareDatetime
    """Time at which the event entered the stream."""
    publisher: str = Field(default="", max_length=128)
    """Name of the accepted publisher whose signature the bridge verified; empty for none. Whoever
    grants an action verifies the signature again."""
    as_of: AwareDatetime | None = None
    """In a backtest, the instant that stands for now in policy questions. Set by the bridge's own
    configuration, never by an event."""
    answer_command: TemporalCommand = TemporalCommand()
    """The command with which a person answers. Set by the bridge's own configuration, never by an
    event."""
    local_user: str = ""
    """The operating system's user who runs the bridge: where the policy lists no approvers, this
    name and the model's owner count. Empty if unknown."""


class IncidentView(Record):
    """Result of the query `incident`."""

    event_id: Name
    model: Name
    correlation_id: Name
    stage: Stage
    plan_hash: str | None = None
    decision: Decision | None = None
    plan: RemediationPlan | None = None
    """The plan that was decided on."""
    confidence: Confidence | None = None
    page: str | None = None
    """Approval page, once a person was asked."""
    deadline: AwareDatetime | None = None
    answers: tuple[Answer, ...] = ()
    terms: ApprovalTerms | None = None
    """Whose answers count, once a person was asked."""
    ending: Ending | None = None


class IncidentReport(Record):
    """Result of `DriftResponseWorkflow`."""

    event_id: Name
    model: Name
    correlation_id: Name
    evidence: EvidencePack | None
    deliberation: Deliberation | None
    failure: str = ""
    """Why the deliberation failed; empty if it did not."""
    confidence: Confidence | None
    decision: Decision | None
    answers: tuple[Answer, ...] = ()
    outcome: Outcome | None = None
    preview: ChallengerPreview | None = None
    """What the planned retraining would give, tried before it was asked for or carried out; None if
    it was not tried."""
    ending: Ending
    published_at: AwareDatetime
    decided_at: AwareDatetime | None
    acted_at: AwareDatetime | None = None
    """Time of the action on the model (in a backtest: as of then); None if nothing changed."""
    closed_at: AwareDatetime
    audit_entries: int = Field(ge=0)
    audit_tip: Digest
