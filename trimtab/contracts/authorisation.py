"""The request for a grant: shown to the mint, which believes nothing that it cannot derive."""

from trimtab.contracts.approval import Answer
from trimtab.contracts.base import Name, Record
from trimtab.contracts.decision import Decision, PolicyQuestion


class AuthorisationRequest(Record):
    """Input of the activity `authorise`."""

    event_id: Name
    question: PolicyQuestion
    """What the policy was asked; the mint asks it again."""
    decision: Decision
    """What the policy answered; must be what the mint finds too."""
    answer: Answer | None = None
    """A person's accepted approval, where the policy escalated."""
