"""Reaches a person: by a line in the log, and by a page in a folder that people look into."""

import os
import tempfile
from pathlib import Path

import structlog

from trimtab.adapters.slug import slug
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.ports import Notifier, Unavailable

_log = structlog.get_logger(__name__)


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
            _replace(path, f"{request.page.rstrip()}\n".encode())
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


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
