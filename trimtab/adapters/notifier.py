"""Reaches a person: by a line in the log, and by a page in a folder that people look into."""

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
    """Logs that somebody is asked; log pipelines route it on."""

    def notify(self, request: ApprovalRequest) -> None:
        """One line with everything but the page."""
        _log.warning("approval_requested", **request.model_dump(mode="json", exclude={"page"}))


class FileNotifier:
    """Writes the page to a file in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, workflow_id: str) -> Path:
        """Where the page of a workflow is."""
        return self._folder / f"{slug(workflow_id)}.txt"

    def notify(self, request: ApprovalRequest) -> None:
        """The whole page or none; a reminder replaces the question."""
        path = self.path(request.workflow_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f"{request.page.rstrip()}\n", mode=_PAGE_MODE)
        except OSError as error:
            msg = f"page {path} cannot be written: {error}"
            raise Unavailable(msg) from error


class Notifiers:
    """Several ways to reach a person, tried in turn; when one fails all are tried again."""

    def __init__(self, *notifiers: Notifier) -> None:
        self._notifiers = notifiers

    def notify(self, request: ApprovalRequest) -> None:
        """Deliver the page in every way."""
        for notifier in self._notifiers:
            notifier.notify(request)
