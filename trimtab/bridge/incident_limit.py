"""Keeps the bridge from opening more incidents than the workers can investigate in time.

Without a limit a thousand events that arrive together make a thousand incidents that wait for the
same few threads, until their deliberations time out and ask a person for nothing. Events wait in
the stream instead, where nothing times out.
"""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts import names
from trimtab.contracts.incident import Stage

_log = structlog.get_logger(__name__)
_AT_WORK: Final = (Stage.OPENED, Stage.DELIBERATING, Stage.DECIDING)
"""Stages that an incident passes without waiting for a person, a training or another incident."""
_MAX_AGE: Final = timedelta(minutes=15)
"""Age from which an incident does not count: one that hangs must not keep others from opening."""
_POLL_SECONDS: Final = 0.2
"""Time between two counts while there is no room."""
_RPC_TIMEOUT: Final = timedelta(seconds=10)
_MAY_NOT_COUNT: Final = {
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNIMPLEMENTED,
    RPCStatusCode.INVALID_ARGUMENT,
}
"""Statuses of a server that will not count for us; the limit is off then."""


class IncidentLimit:
    """The number of incidents that may be at work at once, in the whole namespace.

    Temporal counts them; several bridges need not know each other. Its count is a moment old, so
    starts since then are added to it, and the limit may be passed by as many as finish, or are
    started by other bridges, in that moment.
    """

    def __init__(self, client: Client, *, limit: int) -> None:
        self._client = client
        self._limit = limit
        self._room = 0
        self._counting = asyncio.Lock()
        self._counted_at = 0.0
        self._is_off = False

    def take_room(self) -> bool:
        """Return whether an incident may be started now, and count it if so."""
        if self._is_off:
            return True
        if self._room < 1:
            return False
        self._room -= 1
        return True

    async def wait_for_room(self, stop: asyncio.Event) -> bool:
        """Wait until an incident may be started; return False if `stop` is set before."""
        while not stop.is_set():
            if self.take_room():
                return True
            async with self._counting:
                # Many wait at the lock, and the first of them has counted for all.
                if self._room < 1 and not self._is_off:
                    await self._wait_for_next_count(stop)
                    await self._count()
        return False

    async def _wait_for_next_count(self, stop: asyncio.Event) -> None:
        delay = self._counted_at + _POLL_SECONDS - time.monotonic()
        if delay > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await stop.wait()

    async def _count(self) -> None:
        """Ask Temporal how many are at work; while it does not answer there is room to try."""
        self._counted_at = time.monotonic()
        try:
            found = await self._client.count_workflows(
                _build_query(datetime.now(UTC) - _MAX_AGE), rpc_timeout=_RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status in _MAY_NOT_COUNT:
                self._is_off = True
                _log.warning(
                    "incident_limit_off",
                    error=error.message,
                    remedy="let the bridge count workflows, with the search attributes of Trimtab",
                )
            # The start itself fails for the same reason, and waits for Temporal.
            self._room = 1
        except RuntimeError:  # not connected
            self._room = 1
        else:
            self._room = max(0, self._limit - found.count)


def _build_query(since: datetime) -> str:
    stages = ", ".join(f"'{stage}'" for stage in _AT_WORK)
    return (
        f"WorkflowType = '{names.DRIFT_RESPONSE}' AND ExecutionStatus = 'Running'"
        f" AND {names.STAGE} IN ({stages}) AND StartTime > '{since.isoformat()}'"
    )
