"""An incident from event to report."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.approval import Answer
from trimtab.contracts.base import Digest, Name, NonNegativeDuration, Record
from trimtab.contracts.decision import Confidence, Decision, Limits
from trimtab.contracts.deliberation import Deliberation
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Outcome


class Stage(StrEnum):
    """Where an open incident stands: search attribute `TrimtabStage`."""

    OPENED = "opened"
    INVESTIGATING = "investigating"
    DELIBERATING = "deliberating"
    DECIDING = "deciding"
    WAITING = "waiting_for_person"
    REMEDIATING = "remediating"
    CLOSED = "closed"


class Ending(StrEnum):
    """How an incident ended."""

    MONITORED = "monitored"
    """The policy decided that watching is enough."""
    REMEDIATED = "remediated"
    """An action was taken and verified."""
    NOT_PROMOTED = "not_promoted"
    """A challenger was trained but did not beat the champion: nothing changed."""
    NOT_VERIFIED = "not_verified"
    """An action was taken but no labelled rows could verify it; undone."""
    UNDONE = "undone"
    """An action was taken, made things worse, and was undone."""
    REJECTED = "rejected"
    """A person said no."""
    EXPIRED = "expired"
    """Nobody answered in time; nothing was done."""
    ACKNOWLEDGED = "acknowledged"
    """A person took over an incident that had no plan to execute."""
    SUPERSEDED = "superseded"
    """Another remediation of the same model was under way; nothing was done."""
    CANCELLED = "cancelled"
    """Somebody cancelled the workflow; what was changed until then was undone."""
    FAILED = "failed"
    """An authorised action could not be carried out; what was changed was undone."""


class IncidentInput(Record):
    """What `DriftResponseWorkflow` is started with; limits and hash travel with it."""

    event: DriftEvent
    spec: ModelSpec
    limits: Limits
    policy_hash: Digest
    analyst: str = "analyst/rules"
    deliberation_timeout: NonNegativeDuration = timedelta(minutes=4)
    """After this the agents are stopped and the incident escalates."""
    call_timeout: NonNegativeDuration = timedelta(seconds=60)
    """For one model call of the agents."""
    published_at: AwareDatetime
    """When the event entered the stream."""
    as_of: AwareDatetime | None = None
    """In a backtest, the instant that stands for now in policy questions; set by the bridge's own
    configuration, never by an event."""


class IncidentView(Record):
    """Answer of the query `incident`."""

    event_id: Name
    model: Name
    correlation_id: Name
    stage: Stage
    plan_hash: str | None = None
    decision: Decision | None = None
    confidence: Confidence | None = None
    page: str | None = None
    """What a person is shown while the incident waits."""
    deadline: AwareDatetime | None = None
    answers: tuple[Answer, ...] = ()
    ending: Ending | None = None


class IncidentReport(Record):
    """Result of `DriftResponseWorkflow`."""

    event_id: Name
    model: Name
    correlation_id: Name
    evidence: EvidencePack | None
    deliberation: Deliberation | None
    failure: str = ""
    """Why the deliberation failed, when it did."""
    confidence: Confidence | None
    decision: Decision | None
    answers: tuple[Answer, ...] = ()
    outcome: Outcome | None = None
    ending: Ending
    published_at: AwareDatetime
    decided_at: AwareDatetime | None
    acted_at: AwareDatetime | None = None
    """When the model was acted upon (in a backtest: as of then); None when nothing changed."""
    closed_at: AwareDatetime
    audit_entries: int = Field(ge=0)
    audit_tip: Digest
