"""Asks a person for a decision."""

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.ports import Notifier


class ApprovalActivities:
    """Activities over the notifier."""

    def __init__(self, *, notifier: Notifier) -> None:
        self._notifier = notifier

    @activity.defn
    @translate_errors
    def notify_person(self, request: ApprovalRequest) -> None:
        """Deliver the approval page or its reminder; a retry may deliver it more than once."""
        self._notifier.notify(request)
