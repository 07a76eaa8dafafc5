"""Opens the incident of an event: one `DriftResponseWorkflow`, never two."""

import contextlib
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from trimtab.bridge.configuration import Configuration
from trimtab.bridge.event_parsing import Refusal
from trimtab.contracts import names
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentInput, Stage
from trimtab.contracts.names import drift_response_id
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.models import policy_hash
from trimtab.runtime.settings import Settings
from trimtab.runtime.telemetry import first_span
from trimtab.runtime.temporal import ensure_search_attributes
from workflows import options

_PATIENCE: Final = timedelta(seconds=10)
_MOST_SUMMARY_BYTES: Final = 200
_MOST_FEATURES_SHOWN: Final = 20
_THE_EVENTS_FAULT: Final = {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE}


class TemporalUnavailableError(Exception):
    """Temporal does not take the incident now, for no fault of the event."""


class Opener:
    """Turns an event into a started workflow."""

    def __init__(self, client: Client, *, configuration: Configuration, settings: Settings) -> None:
        self._client = client
        self._configuration = configuration
        self._settings = settings

    async def open(self, event: DriftEvent, *, published_at: datetime) -> bool:
        """Start the workflow; False when the event already has one.

        Raises:
            Refusal: The model is not configured.
            TemporalUnavailableError: Trying again may help; the event is not at fault.
        """
        incident = self._incident(event, published_at=published_at)
        with first_span(
            f"incident {event.subject}",
            attributes={"trimtab.model": event.subject, "trimtab.event_id": event.id},
        ):
            return await self._start(incident)

    async def _start(self, incident: IncidentInput) -> bool:
        event = incident.event
        try:
            await self._client.start_workflow(
                names.DRIFT_RESPONSE,
                incident,
                id=drift_response_id(event.subject, event.id),
                task_queue=names.MAIN_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=_search_attributes(event),
                static_summary=_summary(event),
                static_details=_details(event),
                rpc_timeout=_PATIENCE,
            )
        except WorkflowAlreadyStartedError:
            return False
        except RPCError as error:
            if "search attribute" in error.message:
                await self._restore_search_attributes()
            elif error.status in _THE_EVENTS_FAULT:
                raise
            msg = f"{error.status.name}: {error.message}"
            raise TemporalUnavailableError(msg) from error
        except RuntimeError as error:
            if "connect" not in str(error):
                raise
            raise TemporalUnavailableError(str(error)) from error
        return True

    async def _restore_search_attributes(self) -> None:
        """Somebody has replaced the namespace since we started: the next attempt may succeed."""
        with contextlib.suppress(RPCError, RuntimeError, BadConfigurationError):
            await ensure_search_attributes(self._client)

    def _incident(self, event: DriftEvent, *, published_at: datetime) -> IncidentInput:
        try:
            spec = self._configuration.spec(event.subject)
        except BadConfigurationError as error:
            raise Refusal(str(error)) from error
        limits = self._limits()
        return IncidentInput(
            event=event,
            spec=spec,
            limits=limits,
            policy_hash=policy_hash(limits),
            analyst=self._settings.analyst.model,
            deliberation_timeout=self._settings.analyst.deliberation_timeout,
            call_timeout=self._settings.analyst.timeout,
            published_at=published_at,
            as_of=event.data.current.end if self._settings.backtest.replay else None,
        )

    def _limits(self) -> Limits:
        limits, shorter = self._configuration.limits(), self._settings.backtest.approval_timeout
        return limits.model_copy(update={"approval_timeout": shorter}) if shorter else limits


def _search_attributes(event: DriftEvent) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(options.MODEL, event.subject),
            SearchAttributePair(options.SEVERITY, event.data.severity.value),
            SearchAttributePair(options.STAGE, Stage.OPENED.value),
            SearchAttributePair(options.CORRELATION_ID, event.correlationid),
        ]
    )


def _summary(event: DriftEvent) -> str:
    window = event.data.current
    rest = f": {event.data.severity} drift, {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
    room = _MOST_SUMMARY_BYTES - len(rest)
    return event.subject.encode()[:room].decode(errors="ignore") + rest


def _details(event: DriftEvent) -> str:
    """Markdown; every name in it has the names' narrow pattern."""
    window, change = event.data.current, event.data.performance
    drifted = event.data.drifted[:_MOST_FEATURES_SHOWN]
    lines = [
        f"Event `{event.id}` of {event.time:%Y-%m-%d %H:%M} UTC, {window.rows} rows.",
        *(f"- `{feature.name}` drifted: PSI {feature.psi:.2f}" for feature in drifted),
        *(f"- data fault: {fault.kind}" for fault in event.data.quality[:_MOST_FEATURES_SHOWN]),
    ]
    if change:
        lines.append(f"- {change.metric}: {change.reference:.3f} then, {change.current:.3f} now")
    return "\n".join(lines)
