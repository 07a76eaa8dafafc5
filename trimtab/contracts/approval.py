"""The question put to a person, and the answer."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Digest, Name, Record, Text


class Choice(StrEnum):
    """What a person may answer."""

    APPROVE = "approve"
    REJECT = "reject"


class HumanDecision(Record):
    """Payload of the signal `human_decision` and of the update `human_decision_update`."""

    plan_hash: str = Field(max_length=64)
    """Which plan is answered; an answer to another plan is recorded and ignored."""
    approver: str = Field(min_length=1, max_length=200)
    decision: Choice
    reason: str = Field(default="", max_length=2000)


class Answer(Record):
    """A decision as the workflow received it."""

    decision: HumanDecision | None
    """None when the message could not be read."""
    received_at: AwareDatetime
    accepted: bool
    """Whether it settled the question."""
    note: Text = ""
    """Why it did not, such as "duplicate", "late", "other plan" or "unreadable"."""


class ApprovalRequest(Record):
    """The page a person sees: everything needed to decide in one minute."""

    workflow_id: str
    model: Name
    correlation_id: Name
    plan_hash: Digest
    title: str
    page: str
    """Plain text, at most one screen."""
    owner: str = ""
    asked_at: AwareDatetime
    deadline: AwareDatetime
    reminder: bool = False


class DecisionReceipt(Record):
    """What the update answers to the sender."""

    accepted: bool
    note: Text
