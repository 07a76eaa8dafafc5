"""Follows one incident from its event to its report, and answers when it asks a person."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from pydantic import Field
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.cli.backtest.respondent import AnswerError, Respondent
from trimtab.contracts.base import Record
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.incident import IncidentReport, IncidentView, Stage
from trimtab.contracts.names import build_drift_response_id

OPENING_TIMEOUT: Final = 60.0
"""Seconds that the bridge has to open an incident for a published event."""
_POLL_SECONDS: Final = 0.1

_T = TypeVar("_T")

IncidentHandle = WorkflowHandle[Any, IncidentReport]


class ReplayError(TrimtabError):
    """The replay cannot go on."""


class HistorySize(Record):
    """The size of the workflow histories of one incident."""

    events: int = Field(ge=0)
    size: int = Field(ge=0)
    """Bytes."""


@asynccontextmanager
async def run_beside(work: Coroutine[Any, Any, _T]) -> AsyncIterator["asyncio.Task[_T]"]:
    """Run work as a task during the block; it is cancelled at the end of it."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class IncidentFollower:
    """Waits for incidents, and lets the respondent answer their questions."""

    def __init__(
        self, stack: BacktestStack, respondent: Respondent, *, display: ProgressDisplay
    ) -> None:
        self._stack = stack
        self._respondent = respondent
        self._display = display

    async def follow(self, event: DriftEvent, label: str) -> tuple[IncidentReport, HistorySize]:
        """Wait for the incident to open and to end; raise `ReplayError` if it does not open."""
        incident_id = build_drift_response_id(event.subject, event.id)
        handle = self._stack.client.get_workflow_handle(incident_id, result_type=IncidentReport)
        self._display.show(f"{label}: event published, waiting for the bridge")
        await self._wait_until_open(handle)
        async with run_beside(handle.result()) as result:
            await self._answer_questions(handle, result, label)
            return result.result(), await self._measure_history(handle)

    async def _answer_questions(
        self, handle: IncidentHandle, result: "asyncio.Future[IncidentReport]", label: str
    ) -> None:
        was_asked = False
        while not result.done():
            self._stack.check()
            view = await self._query_view(handle)
            if view is not None:
                self._display.show(f"{label}: {view.stage.replace('_', ' ')}")
            if view is not None and view.stage is Stage.WAITING and not was_asked:
                was_asked = True
                with self._display.paused():
                    done = await self._answer(handle, view)
                self._display.show(f"{label}: {done}")
            await asyncio.wait([result], timeout=_POLL_SECONDS)

    async def _answer(self, handle: IncidentHandle, view: IncidentView) -> str:
        """Return how the question ended here; it is withdrawn if it is answered elsewhere."""
        response = self._respondent.respond(
            view, workflow_id=handle.id, address=self._stack.addresses.temporal
        )
        async with run_beside(response) as answering:
            while not answering.done() and await self._is_waiting(handle):
                self._stack.check()
                await asyncio.wait([answering], timeout=_POLL_SECONDS * 5)
            if not answering.done():
                return "answered elsewhere, or expired"
            try:
                return answering.result()
            except AnswerError:
                if await self._is_waiting(handle):
                    raise
                return "too late: answered elsewhere, or expired"

    async def _is_waiting(self, handle: IncidentHandle) -> bool:
        """Say whether the question is open; unknown counts as open."""
        view = await self._query_view(handle)
        return view is None or view.stage is Stage.WAITING

    async def _wait_until_open(self, handle: IncidentHandle) -> None:
        deadline = time.monotonic() + OPENING_TIMEOUT
        while time.monotonic() < deadline:
            self._stack.check()
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(_POLL_SECONDS / 4)
            else:
                return
        log = self._stack.addresses.home / "logs" / "starter.log"
        msg = f"no incident {handle.id} after {OPENING_TIMEOUT:.0f} s: read {log}"
        raise ReplayError(msg)

    async def _query_view(self, handle: IncidentHandle) -> IncidentView | None:
        try:
            view: IncidentView = await handle.query("incident", result_type=IncidentView)
        except (RPCError, WorkflowQueryFailedError):
            return None  # its first task has not run yet, or the worker is busy
        return view

    async def _measure_history(self, handle: IncidentHandle) -> HistorySize:
        """Return events and bytes of the incident's workflow and of its children together."""
        client = self._stack.client
        incident = client.get_workflow_handle(handle.id)
        workflows: list[WorkflowHandle[Any, Any]] = [incident]
        async for past in incident.fetch_history_events():
            started = past.child_workflow_execution_started_event_attributes
            if started.HasField("workflow_execution"):
                child = started.workflow_execution
                workflows.append(client.get_workflow_handle(child.workflow_id, run_id=child.run_id))
        descriptions = [(await each.describe()).raw_description for each in workflows]
        infos = [each.workflow_execution_info for each in descriptions]
        return HistorySize(
            events=sum(info.history_length for info in infos),
            size=sum(info.history_size_bytes for info in infos),
        )
