"""The request for a grant. The mint that receives it believes nothing that it can derive."""

from trimtab.contracts.approval import Answer
from trimtab.contracts.base import Name, Record
from trimtab.contracts.decision import Decision, PolicyQuestion


class AuthorisationRequest(Record):
    """Input of the activity `authorise`."""

    event_id: Name
    question: PolicyQuestion
    """The question that the policy answered; the mint asks it again."""
    decision: Decision
    """The policy's answer; the mint must come to the same one."""
    answer: Answer | None = None
    """A person's accepted approval, if the policy escalated."""
