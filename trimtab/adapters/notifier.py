"""Notifies a person: by a line in the log, and by a page in a folder."""

from pathlib import Path
from typing import Final

import structlog

from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.ports import Notifier, Unavailable
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
            write_atomically(path, f"{request.page.rstrip()}\n", mode=_PAGE_MODE)
        except OSError as error:
            msg = f"page {path} cannot be written: {error}"
            raise Unavailable(msg) from error


class CombinedNotifier:
    """Notifies a person in several ways, in turn; if one fails, a retry uses all of them again."""

    def __init__(self, *notifiers: Notifier) -> None:
        self._notifiers = notifiers

    def notify(self, request: ApprovalRequest) -> None:
        """Notify the person in every way."""
        for notifier in self._notifiers:
            notifier.notify(request)
