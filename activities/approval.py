"""Asks a person for a decision, and tells people what became of it."""

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.notice import NoticeDelivery, NoticeKind, PageMark
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

    @activity.defn
    @translate_errors
    def send_notice(self, delivery: NoticeDelivery) -> None:
        """Send a notice to one target of this worker's own policy.

        The workflow names the target. Where it leads is never taken from the workflow: a person
        with Temporal access could otherwise have any command run here.
        """
        self._notifier.send(delivery)

    @activity.defn
    @translate_errors
    def find_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        """Return the names of the targets of this worker's own policy that want the kind."""
        return self._notifier.list_targets(kind)

    @activity.defn
    @translate_errors
    def mark_page(self, mark: PageMark) -> None:
        """Mark the page of a question that was answered or has expired."""
        self._notifier.mark_page(mark)
