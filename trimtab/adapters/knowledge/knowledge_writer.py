"""Writes closed incidents to the knowledge base in turn, so that a slow one delays no incident.

A decided incident is closed once the audit log and the registry have it. What agents may learn from
it is worth a short wait, and after that a few more attempts in the background.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Final

import structlog

from trimtab.contracts.evidence import Document
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import KnowledgeBase, Unavailable

WAIT: Final = timedelta(seconds=2)
"""Time that the caller waits for its incident to be written."""
MAX_ATTEMPTS: Final = 6
MAX_WAITING: Final = 500
"""Incidents that wait to be written; more are dropped, with a line in the log."""
_FIRST_DELAY_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)
_JITTER: Final = random.SystemRandom()


class KnowledgeWriter:
    """The port `KnowledgeBase` over another one: reads pass, writes queue for one thread.

    One writer at a time is also what Chroma is fastest with. Attempts are bounded and their delays
    differ at random, so that many workers do not try again together. What the process has not
    written when it is killed stays unwritten: the registry and Temporal have it.
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        *,
        patience: timedelta = WAIT,
        max_waiting: int = MAX_WAITING,
        first_delay: float = _FIRST_DELAY_SECONDS,
    ) -> None:
        self._knowledge = knowledge
        self._patience = patience.total_seconds()
        self._max_waiting = max_waiting
        self._first_delay = first_delay
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="knowledge-writer")

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """Return the nearest documents, best first."""
        return self._knowledge.search(query, limit=limit)

    def document(self, document_id: str) -> Document | None:
        """Return one whole document, or None."""
        return self._knowledge.document(document_id)

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        """Write the incident, now or in the background; the same id again replaces it.

        Raises:
            Refused: The knowledge base said at once that it will never take this incident.
        """
        if not self._enter():
            _log.error("incident_not_learned", document=document_id, reason="too many wait")
            return
        writing = self._thread.submit(self._write, report, document_id)
        writing.add_done_callback(self._leave)
        if wait([writing], self._patience).not_done:
            _log.info("incident_learned_later", document=document_id)
            writing.add_done_callback(_log_failure(document_id))
            return
        try:
            writing.result()
        except Unavailable as error:
            _log.error("incident_not_learned", document=document_id, reason=str(error))

    def close(self) -> None:
        """Finish the write under way and drop those that wait; returns when the thread is over."""
        self._closed.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _enter(self) -> bool:
        with self._lock:
            if self._closed.is_set() or self._waiting >= self._max_waiting:
                return False
            self._waiting += 1
            return True

    def _leave(self, _: "Future[None]") -> None:
        with self._lock:
            self._waiting -= 1

    def _write(self, report: IncidentReport, document_id: str) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._knowledge.remember(report, document_id=document_id)
            except Unavailable:
                if attempt == MAX_ATTEMPTS or self._closed.is_set():
                    raise
                delay = self._first_delay * 2 ** (attempt - 1)
                self._closed.wait(delay * _JITTER.uniform(0.5, 1.5))
        return None


def _log_failure(document_id: str) -> Callable[["Future[None]"], None]:
    def log(writing: "Future[None]") -> None:
        if writing.cancelled():
            _log.error("incident_not_learned", document=document_id, reason="the worker stopped")
        elif error := writing.exception():
            _log.error("incident_not_learned", document=document_id, reason=str(error))

    return log
