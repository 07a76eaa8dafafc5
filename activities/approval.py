"""Reaches a person."""

from temporalio import activity

from activities.errors import translated
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.ports import Notifier


class ApprovalActivities:
    """Sends the page."""

    def __init__(self, *, notifier: Notifier) -> None:
        self._notifier = notifier

    @activity.defn
    @translated
    def notify_person(self, request: ApprovalRequest) -> None:
        """Deliver the question, or its reminder; at least once."""
        self._notifier.notify(request)
