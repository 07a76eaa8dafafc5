"""The question put to a person, and the person's answer."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Digest, Name, Record, Text


class Choice(StrEnum):
    """A person's possible answers."""

    APPROVE = "approve"
    REJECT = "reject"


class HumanDecision(Record):
    """Payload of the signal `human_decision` and of the update `human_decision_update`."""

    plan_hash: str = Field(max_length=64)
    """Hash of the plan that is answered; an answer to another plan is recorded and ignored."""
    approver: str = Field(min_length=1, max_length=200)
    decision: Choice
    reason: str = Field(default="", max_length=2000)


class Answer(Record):
    """A decision as the workflow received it."""

    decision: HumanDecision | None
    """None if the message could not be read."""
    received_at: AwareDatetime
    accepted: bool
    """Whether the answer settled the question."""
    note: Text = ""
    """Why it did not settle it, beginning with "duplicate", "late", "other plan", "unreadable" or
    "not asked"."""


class TemporalCommand(Record):
    """The `temporal` command with which a person answers, as it has to be typed where they are.

    It names a program called `temporal` and an address, and nothing else: no other command can get
    onto the page that a person copies from.
    """

    program: str = Field(default="temporal", pattern=r"^([^\p{Cc}]*/)?temporal$", max_length=4096)
    """Path of the program, not quoted for a shell, or its plain name."""
    address: str = Field(default="", pattern=r"^[\w.:\[\]-]*$", max_length=256)
    """host:port of the Temporal server; empty for that of the person's own profile."""
    namespace: str = Field(default="default", pattern=r"^[\w.-]+$", max_length=256)
    """Namespace that holds the incident."""


class ApprovalRequest(Record):
    """The page that a person decides from, and where it belongs."""

    workflow_id: str
    model: Name
    correlation_id: Name
    plan_hash: Digest
    title: str
    page: str
    """Plain text of at most one screen."""
    owner: str = ""
    asked_at: AwareDatetime
    deadline: AwareDatetime
    reminder: bool = False


class DecisionReceipt(Record):
    """Reply of the update to its sender."""

    accepted: bool
    note: Text
