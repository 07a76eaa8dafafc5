"""Writes closed incidents to the knowledge base in turn, so that a slow one delays no incident.

A decided incident is closed once the audit log and the registry have it. What agents may learn from
it is worth a short wait, and after that a few more attempts in the background.
"""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

import structlog

from trimtab.contracts.evidence import Document
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import Refused, Unavailable

WAIT: Final = timedelta(seconds=2)
"""Time that the caller waits for its incident to be written."""
MAX_ATTEMPTS: Final = 6
MAX_WAITING: Final = 500
"""Incidents that wait to be written; more are dropped, with a line in the log."""
MAX_BATCH: Final = 50
"""Incidents that are written together."""
REST_SHARE: Final = 9.0
"""Rest after a write, in multiples of the time that it took."""
_MAX_REST_SECONDS: Final = 10.0
_FIRST_DELAY_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)
_JITTER: Final = random.SystemRandom()


class Memory(NamedTuple):
    """An incident to be kept, and the id of the document that it becomes."""

    report: IncidentReport
    document_id: str


class BatchKnowledge(Protocol):
    """A knowledge base that takes many incidents in one write."""

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """Return the nearest documents, best first."""

    def document(self, document_id: str) -> Document | None:
        """Return one whole document, or None."""

    def remember_all(self, memories: Sequence[tuple[IncidentReport, str]]) -> None:
        """Add the incidents' outcomes; an id that is there already is replaced."""


class _Writing(NamedTuple):
    memory: Memory
    done: "Future[None]"


class KnowledgeWriter:
    """The port `KnowledgeBase` over another one: reads pass, writes queue for one thread.

    A write takes Chroma longer the more it holds, whatever is written. So incidents that wait are
    written together, and the thread rests after each write in proportion to it: however much is
    known already, at most a tenth of a core is spent on it. Attempts are bounded and their delays
    differ at random, so that many workers do not try again together. What the process has not
    written when it is killed stays unwritten: the registry and Temporal have it.
    """

    def __init__(
        self,
        knowledge: BatchKnowledge,
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
        self._queue: list[_Writing] = []
        self._unfinished = 0
        self._rest_until = 0.0
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

        While the thread rests, nobody waits for it.

        Raises:
            Refused: The knowledge base said at once that it will never take this incident.
        """
        writing = _Writing(Memory(report, document_id), Future())
        if not self._enter(writing):
            _log.error("incident_not_learned", document=document_id, reason="too many wait")
            return
        patience = 0.0 if time.monotonic() < self._rest_until else self._patience
        if wait([writing.done], patience).not_done:
            _log.debug("incident_learned_later", document=document_id)
            writing.done.add_done_callback(lambda done: _log_failure(document_id, done))
            return
        try:
            writing.done.result()
        except Unavailable as error:
            _log.error("incident_not_learned", document=document_id, reason=str(error))

    def close(self) -> None:
        """Finish the write under way and drop those that wait; returns when the thread is over."""
        self._closed.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        for writing in self._take(self._max_waiting):
            self._finish(writing, Unavailable("the worker stopped"))

    def _enter(self, writing: _Writing) -> bool:
        with self._lock:
            if self._closed.is_set() or self._unfinished >= self._max_waiting:
                return False
            self._unfinished += 1
            self._queue.append(writing)
            self._thread.submit(self._write_next)
            return True

    def _take(self, count: int) -> list[_Writing]:
        with self._lock:
            taken, self._queue = self._queue[:count], self._queue[count:]
            return taken

    def _write_next(self) -> None:
        """Write what waits, if the thread has not written it with something else already."""
        if not self._queue:
            return
        self._closed.wait(max(0.0, self._rest_until - time.monotonic()))
        if self._closed.is_set():
            return
        batch = self._take(MAX_BATCH)
        began = time.monotonic()
        self._write_batch(batch)
        now = time.monotonic()
        self._rest_until = now + min(_MAX_REST_SECONDS, REST_SHARE * (now - began))

    def _write_batch(self, batch: Sequence[_Writing]) -> None:
        """Write the batch; if one of several is refused, write each on its own."""
        error = self._try([writing.memory for writing in batch])
        if isinstance(error, Refused) and len(batch) > 1:
            for writing in batch:
                self._write_batch([writing])
            return
        for writing in batch:
            self._finish(writing, error)

    def _finish(self, writing: _Writing, error: Exception | None) -> None:
        with self._lock:
            self._unfinished -= 1
        if error is None:
            writing.done.set_result(None)
        else:
            writing.done.set_exception(error)

    def _try(self, memories: Sequence[Memory]) -> Exception | None:
        """Return the error of the last attempt, None after a success."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self._knowledge.remember_all(memories)
            except Unavailable as error:
                if attempt == MAX_ATTEMPTS or self._closed.is_set():
                    return error
                delay = self._first_delay * 2 ** (attempt - 1)
                self._closed.wait(delay * _JITTER.uniform(0.5, 1.5))
            except Exception as error:  # noqa: BLE001 - it is the caller's, in another thread
                return error
            else:
                return None
        return None


def _log_failure(document_id: str, done: "Future[None]") -> None:
    if error := done.exception():
        _log.error("incident_not_learned", document=document_id, reason=str(error))
