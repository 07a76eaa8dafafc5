"""Finds incidents in Temporal's visibility, reads them, and answers their questions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from trimtab.adapters.temporal_connection import open_temporal
from trimtab.contracts import names
from trimtab.contracts.approval import DecisionReceipt, HumanDecision
from trimtab.contracts.base import Record
from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.contracts.incident import IncidentReport, IncidentView
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings

_QUERY_SECONDS: Final = 10.0
"""Time that a worker has to answer a query."""
_UPDATE_SECONDS: Final = 30.0
"""Time that a worker has to answer an update."""
_VISIBILITY_SECONDS: Final = 1.0
"""Time after which a new workflow is in the list."""
_REFUSING: Final = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
}
"""Answers to a query that come from Temporal itself, whether a worker runs or not."""
_MAX_NAMED: Final = 5
"""Number of incidents that an ambiguous id is said to fit."""
_MIN_STUCK_ATTEMPTS: Final = 3
"""Attempts of one workflow task or activity from which an incident counts as stuck."""
_WORKFLOWS: Final = f'WorkflowType="{names.DRIFT_RESPONSE}"'
_MODEL_KEY = SearchAttributeKey.for_keyword(names.MODEL)
_KEYWORDS: Final = {
    "stage": SearchAttributeKey.for_keyword(names.STAGE),
    "severity": SearchAttributeKey.for_keyword(names.SEVERITY),
    "verdict": SearchAttributeKey.for_keyword(names.VERDICT),
    "action": SearchAttributeKey.for_keyword(names.ACTION),
    "ending": SearchAttributeKey.for_keyword(names.ENDING),
}


class IncidentNotFoundError(TrimtabError):
    """No incident has such an id, or several have; the message names them."""

    kind = ErrorKind.INVALID_INPUT


class IncidentRow(Record):
    """One incident, as Temporal's visibility shows it."""

    incident: str
    """The event id."""
    workflow_id: str
    model: str
    status: str
    """Temporal's status, such as "running" or "completed"."""
    stage: str = ""
    severity: str = ""
    verdict: str = ""
    action: str = ""
    ending: str = ""
    started_at: datetime
    closed_at: datetime | None = None
    stuck: str = ""
    """Why the incident does not go on by itself; empty if it does, or if that was not checked."""

    @property
    def is_open(self) -> bool:
        """Whether the workflow is running."""
        return self.status == WorkflowExecutionStatus.RUNNING.name.lower()


@asynccontextmanager
async def open_incidents(settings: Settings) -> "AsyncIterator[IncidentClient]":
    """Yield the incidents of the configured namespace; raises as `open_temporal` does."""
    async with open_temporal(settings) as client:
        yield IncidentClient(client)


class IncidentClient:
    """Every incident that one namespace remembers."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list_rows(
        self, *, only_open: bool = False, model: str | None = None
    ) -> list[IncidentRow]:
        """Return the incidents, the newest first."""
        query = f'{_WORKFLOWS} AND ExecutionStatus="Running"' if only_open else _WORKFLOWS
        rows = [_build_row(each) async for each in self._client.list_workflows(query)]
        chosen = [row for row in rows if model is None or row.model == model]
        return sorted(chosen, key=lambda row: row.started_at, reverse=True)

    async def list_stuck(
        self, *, only_open: bool = False, model: str | None = None
    ) -> list[IncidentRow]:
        """Return the incidents that ended without a report, or whose work fails again and again."""
        checked = [
            row.model_copy(update={"stuck": await self._find_obstacle(row)})
            for row in await self.list_rows(only_open=only_open, model=model)
            if row.status != WorkflowExecutionStatus.COMPLETED.name.lower()
        ]
        return [row for row in checked if row.stuck]

    async def find(self, beginning: str, *, only_open: bool = False) -> IncidentRow:
        """Return the incident whose event id or workflow id begins so.

        Raises:
            IncidentNotFoundError: There is none, or more than one.
        """
        found = await self._match(beginning, only_open=only_open)
        if not found:
            await asyncio.sleep(_VISIBILITY_SECONDS)
            found = await self._match(beginning, only_open=only_open)
        if len(found) == 1:
            return found[0]
        which = "open incident" if only_open else "incident"
        if not found:
            msg = f"{beginning!r}: no {which} has an id that begins so: `trimtab incidents` has all"
            raise IncidentNotFoundError(msg)
        shown = ", ".join(row.workflow_id for row in found[:_MAX_NAMED])
        more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
        msg = f"{beginning!r}: is the beginning of {len(found)} {which}s: {shown}{more}: write more"
        raise IncidentNotFoundError(msg)

    async def read_view(self, row: IncidentRow) -> IncidentView:
        """Return an incident's present state.

        Raises:
            Unavailable: No worker answers.
        """
        try:
            async with asyncio.timeout(_QUERY_SECONDS):
                view: IncidentView = await self._get_handle(row).query(
                    "incident", result_type=IncidentView
                )
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            msg = f"{row.workflow_id}: the worker cannot say its state: {_format_error(error)}"
            raise Unavailable(msg) from error
        except (RPCError, TimeoutError) as error:
            if isinstance(error, RPCError) and error.status in _REFUSING:
                raise
            # What the connection says then, such as "h2 protocol error", helps no person.
            msg = (
                f"{row.workflow_id}: no worker answered: start one with `{format_command('up')}`"
                " or worker.py, then try again"
            )
            raise Unavailable(msg) from error
        return view

    async def read_report(self, row: IncidentRow) -> IncidentReport:
        """Return a closed incident's report.

        Raises:
            Refused: The workflow ended without one.
        """
        try:
            report: IncidentReport = await self._get_handle(row).result()
        except WorkflowFailureError as error:
            msg = f"{row.workflow_id}: ended without a report: {_format_error(error)}"
            raise Refused(msg) from error
        return report

    async def answer(self, row: IncidentRow, decision: HumanDecision) -> DecisionReceipt:
        """Send a person's answer with the update, and return its receipt.

        Raises:
            Refused: The answer does not count; the message says why.
            Unavailable: No worker took the answer.
        """
        try:
            async with asyncio.timeout(_UPDATE_SECONDS):
                receipt: DecisionReceipt = await self._get_handle(row).execute_update(
                    "human_decision_update", decision, result_type=DecisionReceipt
                )
        except WorkflowUpdateFailedError as error:
            msg = f"the answer was not accepted: {_format_error(error)}"
            raise Refused(msg) from None
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            msg = (
                f"{row.workflow_id}: no worker took the answer within {_UPDATE_SECONDS:.0f} s:"
                " the answer may count once one runs: start a worker, and look with `trimtab show`"
            )
            raise Unavailable(msg) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                msg = f"{row.workflow_id}: the incident is closed"
                raise Refused(msg) from None
            raise
        return receipt

    def _get_handle(self, row: IncidentRow) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(row.workflow_id, result_type=IncidentReport)

    async def _match(self, beginning: str, *, only_open: bool) -> Sequence[IncidentRow]:
        rows = await self.list_rows(only_open=only_open)
        exact = [row for row in rows if beginning in (row.incident, row.workflow_id)]
        if exact:
            return exact
        return [
            row
            for row in rows
            if row.incident.startswith(beginning) or row.workflow_id.startswith(beginning)
        ]

    async def _find_obstacle(self, row: IncidentRow) -> str:
        """Return why the incident does not go on by itself; empty if it does."""
        if not row.is_open:
            return f"the workflow ended as {row.status}, without a report"
        raw = (await self._get_handle(row).describe()).raw_description
        task = raw.pending_workflow_task
        if task.attempt >= _MIN_STUCK_ATTEMPTS:
            return f"its workflow task has failed {task.attempt - 1} times"
        for each in raw.pending_activities:
            if each.attempt >= _MIN_STUCK_ATTEMPTS:
                reason = each.last_failure.message
                name = each.activity_type.name
                return f"its activity {name} has failed {each.attempt - 1} times: {reason}"
        return ""


def _build_row(each: WorkflowExecution) -> IncidentRow:
    attributes = each.typed_search_attributes
    fields = {name: attributes.get(key, "") for name, key in _KEYWORDS.items()}
    _, _, rest = each.id.partition("/")
    model, _, incident = rest.partition("/")
    return IncidentRow(
        incident=incident,
        workflow_id=each.id,
        model=attributes.get(_MODEL_KEY, model.replace("%2F", "/")),
        status=each.status.name.lower() if each.status else "unknown",
        started_at=each.start_time,
        closed_at=each.close_time,
        **fields,
    )


def _format_error(error: BaseException) -> str:
    """Return the message of the innermost cause, without the name of its class."""
    while error.__cause__ is not None:
        error = error.__cause__
    message = error.message if isinstance(error, FailureError) else str(error)
    return message.rstrip(".") or type(error).__name__
