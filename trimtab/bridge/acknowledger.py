"""Acknowledges entries that Temporal has accepted, one XACK for all that have come meanwhile."""

import asyncio
from collections.abc import Callable

import structlog

from trimtab.bridge.backoff import Backoff
from trimtab.bridge.entry_handling import STREAM_FAILURES
from trimtab.bridge.stream import StreamConsumer

_log = structlog.get_logger(__name__)


class Acknowledger:
    """A queue of accepted entries and the task that acknowledges them."""

    def __init__(
        self, stream: StreamConsumer, *, on_acknowledged: Callable[[list[str]], None]
    ) -> None:
        self._stream = stream
        self._on_acknowledged = on_acknowledged
        self._accepted: asyncio.Queue[str | None] = asyncio.Queue()
        """Entry ids; None after the last."""
        self._over = asyncio.Event()

    def add(self, entry_id: str) -> None:
        """Acknowledge an entry soon."""
        self._accepted.put_nowait(entry_id)

    def close(self) -> None:
        """Let `run` end once everything added has been tried."""
        self._over.set()
        self._accepted.put_nowait(None)

    async def run(self) -> None:
        """Acknowledge what is added, until closed."""
        last = False
        while not last:
            batch = [await self._accepted.get()]
            while not self._accepted.empty():
                batch.append(self._accepted.get_nowait())
            last = None in batch
            if entry_ids := [entry_id for entry_id in batch if entry_id is not None]:
                await self._acknowledge(entry_ids)

    async def _acknowledge(self, entry_ids: list[str]) -> None:
        """Try until it succeeds; once closed, only one more time."""
        backoff = Backoff()
        while True:
            try:
                await self._stream.acknowledge(entry_ids)
            except STREAM_FAILURES as error:
                _log.warning("acknowledgement_postponed", error=str(error) or repr(error))
                if self._over.is_set():
                    return
                await backoff.wait(self._over)
            else:
                self._on_acknowledged(entry_ids)
                return
