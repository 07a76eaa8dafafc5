"""Notifies people: by a line in the log, by a page in a folder, and at the policy's targets."""

from pathlib import Path
from typing import Final

import structlog

from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.notice import NoticeDelivery, NoticeKind, PageMark
from trimtab.contracts.ports import Unavailable
from trimtab.contracts.slug import slug
from trimtab.files.atomic_file import write_atomically

_log = structlog.get_logger(__name__)
_PAGE_MODE: Final = 0o600


class LogNotifier:
    """Logs that a person is asked; log pipelines route the line on."""

    def notify(self, request: ApprovalRequest) -> None:
        """Log everything but the page in one line."""
        _log.warning("approval_requested", **request.model_dump(mode="json", exclude={"page"}))


class FileNotifier:
    """Writes the page to a file in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page_path(self, workflow_id: str) -> Path:
        """Return the file of a workflow's page."""
        return self._folder / f"{slug(workflow_id)}.txt"

    def notify(self, request: ApprovalRequest) -> None:
        """Write the page, whole or not at all; a reminder replaces the question."""
        path = self.page_path(request.workflow_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_page(path, request.page)
        except OSError as error:
            msg = f"page {path} cannot be written: {error}"
            raise Unavailable(msg) from error

    def mark_page(self, mark: PageMark) -> None:
        """Begin the page with the mark; a page that is not on this machine is left alone."""
        path = self.page_path(mark.workflow_id)
        try:
            page = path.read_text(encoding="utf-8")
            if not page.startswith(mark.mark):
                _write_page(path, f"{mark.mark}\n\n{page}")
        except FileNotFoundError:
            return
        except OSError as error:
            msg = f"page {path} cannot be marked: {error}"
            raise Unavailable(msg) from error


class CombinedNotifier:
    """Logs and files a question's page, and sends notices; the port `Notifier`.

    If one way to deliver the page fails, a retry uses both again.
    """

    def __init__(self, log: LogNotifier, pages: FileNotifier, *, sender: NoticeSender) -> None:
        self._log = log
        self._pages = pages
        self._sender = sender

    def notify(self, request: ApprovalRequest) -> None:
        """Log that a person is asked, and write the page."""
        self._log.notify(request)
        self._pages.notify(request)

    def send(self, delivery: NoticeDelivery) -> None:
        """Deliver a notice to one of the policy's targets, and log that it was sent."""
        self._sender.send(delivery)
        notice = delivery.notice
        _log.info(
            "notice_sent",
            target=delivery.target,
            kind=notice.kind.value,
            incident=notice.incident,
        )

    def list_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        """Return the names of the policy's targets that want the kind."""
        return self._sender.list_targets(kind)

    def mark_page(self, mark: PageMark) -> None:
        """Say on the page of a closed question what became of it."""
        self._pages.mark_page(mark)


def _write_page(path: Path, page: str) -> None:
    write_atomically(path, f"{page.rstrip()}\n", mode=_PAGE_MODE)
