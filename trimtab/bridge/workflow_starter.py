"""Starts the incident of an event: one `DriftResponseWorkflow`, never two."""

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

from trimtab.adapters.event_keys import build_event_verifier
from trimtab.bridge.answer_command import build_answer_command
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.bridge.event_parsing import EventRejectedError
from trimtab.bridge.same_incident import check_same_incident
from trimtab.contracts import names, tags
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentInput, Stage
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.local_user import get_local_user
from trimtab.runtime.models import compute_policy_hash
from trimtab.runtime.policy import adapt_limits
from trimtab.runtime.settings import Settings
from trimtab.runtime.telemetry import start_root_span
from trimtab.runtime.temporal import ensure_search_attributes
from workflows import options

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_MAX_SUMMARY_BYTES: Final = 200
_MAX_FEATURES_SHOWN: Final = 20
_EVENT_FAULTS: Final = {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE}
"""Statuses of a call that the event itself makes fail."""


class TemporalUnavailableError(Exception):
    """Temporal does not accept the incident now; the event is not the cause."""


class WorkflowStarter:
    """Turns an event into a started workflow."""

    def __init__(
        self, client: Client, *, configuration: ConfigurationCache, settings: Settings
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._settings = settings
        self._verifier = build_event_verifier(settings)

    async def start(self, event: DriftEvent, *, published_at: datetime) -> bool:
        """Start the workflow; return False if the event already has one.

        Raises:
            EventRejectedError: The model is not configured, or the event's id is taken: by an
                incident with other content, or by a workflow that no bridge of ours started.
            TemporalUnavailableError: Trying again may help; the event is not the cause.
        """
        incident = self._build_input(event, published_at=published_at)
        with start_root_span(
            f"incident {event.subject}",
            attributes={tags.MODEL_TAG: event.subject, tags.EVENT_ID_TAG: event.id},
        ):
            return await self._start_workflow(incident)

    async def _start_workflow(self, incident: IncidentInput) -> bool:
        try:
            return await self._start_or_compare(incident)
        except RPCError as error:
            if "search attribute" in error.message:
                await self._restore_search_attributes()
            elif error.status in _EVENT_FAULTS:
                raise
            msg = f"{error.status.name}: {error.message}"
            raise TemporalUnavailableError(msg) from error
        except RuntimeError as error:
            if "connect" not in str(error):
                raise
            raise TemporalUnavailableError(str(error)) from error

    async def _start_or_compare(self, incident: IncidentInput) -> bool:
        """Start the workflow, or make sure that the one with its id is the same incident."""
        event = incident.event
        try:
            await self._client.start_workflow(
                names.DRIFT_RESPONSE,
                incident,
                id=build_drift_response_id(event.subject, event.id),
                task_queue=names.MAIN_QUEUE,
                # An event has one incident for as long as Temporal remembers the first.
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=_build_search_attributes(event),
                static_summary=_format_summary(event),
                static_details=_format_details(event),
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            await check_same_incident(self._client, incident)
            return False
        return True

    async def _restore_search_attributes(self) -> None:
        """Add the search attributes again if the namespace was replaced since the start."""
        with contextlib.suppress(RPCError, RuntimeError, BadConfigurationError):
            await ensure_search_attributes(self._client)

    def _build_input(self, event: DriftEvent, *, published_at: datetime) -> IncidentInput:
        try:
            spec = self._configuration.get_spec(event.subject)
        except BadConfigurationError as error:
            raise EventRejectedError(str(error)) from error
        limits = self._get_limits()
        return IncidentInput(
            event=event,
            spec=spec,
            limits=limits,
            policy_hash=compute_policy_hash(limits),
            analyst=self._settings.analyst.model,
            deliberation_timeout=self._settings.analyst.deliberation_timeout,
            call_timeout=self._settings.analyst.timeout,
            published_at=published_at,
            publisher=self._verifier.find_publisher(event),
            answer_command=build_answer_command(
                self._client.service_client.config.target_host, self._client.namespace
            ),
            local_user=get_local_user(),
            as_of=event.data.current.end if self._settings.backtest.replay else None,
        )

    def _get_limits(self) -> Limits:
        return adapt_limits(self._configuration.get_limits(), self._settings)


def _build_search_attributes(event: DriftEvent) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(options.MODEL_KEY, event.subject),
            SearchAttributePair(options.SEVERITY_KEY, event.data.severity.value),
            SearchAttributePair(options.STAGE_KEY, Stage.OPENED.value),
            SearchAttributePair(options.CORRELATION_ID_KEY, event.correlationid),
        ]
    )


def _format_summary(event: DriftEvent) -> str:
    window = event.data.current
    rest = f": {event.data.severity} drift, {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
    room = _MAX_SUMMARY_BYTES - len(rest)
    return event.subject.encode()[:room].decode(errors="ignore") + rest


def _format_details(event: DriftEvent) -> str:
    """Return Markdown for the Web UI; the names in it are safe by their narrow pattern."""
    window, change = event.data.current, event.data.performance
    drifted = event.data.drifted[:_MAX_FEATURES_SHOWN]
    lines = [
        f"Event `{event.id}` of {event.time:%Y-%m-%d %H:%M} UTC, {window.rows} rows.",
        *(f"- `{feature.name}` drifted: PSI {feature.psi:.2f}" for feature in drifted),
        *(f"- data fault: {fault.kind}" for fault in event.data.quality[:_MAX_FEATURES_SHOWN]),
    ]
    if change:
        lines.append(f"- {change.metric}: {change.reference:.3f} then, {change.current:.3f} now")
    return "\n".join(lines)
