"""The question put to a person, and the person's answer."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, field_validator

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
    signed_at: AwareDatetime | None = None
    """Time of the signature; None without one."""
    signature: str = Field(default="", max_length=128)
    """Ed25519 signature in base64 over the canonical JSON (RFC 8785) of incident, model, plan_hash,
    decision, approver, reason and signed_at; empty for none."""
    key_id: str = Field(default="", max_length=128)
    """Fingerprint of the key, as `ssh-keygen -l` prints it: for people, nothing relies on it."""

    @field_validator("approver", "reason", "key_id")
    @classmethod
    def _replace_control_characters(cls, text: str) -> str:
        """Return one line that cannot command a terminal, for it is shown on pages and in logs."""
        if text.isprintable():
            return text
        return "".join(each if each.isprintable() else " " for each in text)


class Answer(Record):
    """A decision as the workflow received it."""

    decision: HumanDecision | None
    """None if the message could not be read."""
    received_at: AwareDatetime
    accepted: bool
    """Whether the answer counts: a rejection settles the question, and so do as many approvals as
    the policy wants."""
    note: Text = ""
    """Why it does not count, beginning with "duplicate", "late", "other plan", "unreadable",
    "not asked", "unlisted", "unsigned", "bad signature" or "stale"."""


class TemporalCommand(Record):
    """The commands with which a person answers, as they have to be typed where the person is.

    It names programs called `temporal` and `trimtab` and an address, and nothing else: no other
    command can get onto the page that a person copies from.
    """

    program: str = Field(default="temporal", pattern=r"^([^\p{Cc}]*/)?temporal$", max_length=4096)
    """Path of the program, not quoted for a shell, or its plain name."""
    address: str = Field(default="", pattern=r"^[\w.:\[\]-]*$", max_length=256)
    """host:port of the Temporal server; empty for that of the person's own profile."""
    namespace: str = Field(default="default", pattern=r"^[\w.-]+$", max_length=256)
    """Namespace that holds the incident."""
    trimtab: str = Field(default="trimtab", pattern=r"^([^\p{Cc}]*/)?trimtab$", max_length=4096)
    """Path of the program `trimtab`, not quoted for a shell, or its plain name."""


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
