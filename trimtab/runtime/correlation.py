"""Carries the correlation id of an incident through client, workflows and activities.

It travels in a Temporal header and is bound where logs and spans find it: no workflow or activity
mentions it. `runtime.temporal.connect_temporal` puts the interceptor in place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import structlog
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.common import SearchAttributeKey
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.worker import Interceptor as WorkerInterceptor
from typing_extensions import override

from trimtab.contracts import names

LOG_FIELD: Final = "correlation_id"
"""Name of the id in log lines."""
HEADER_NAME: Final = "trimtab-correlation-id"
_ATTRIBUTE: Final = SearchAttributeKey.for_keyword(names.CORRELATION_ID)

Headers = Mapping[str, Payload]


@contextmanager
def bind_correlation_id(correlation_id: str | None) -> Iterator[None]:
    """Add the id to every log line and span of the block; None changes nothing."""
    if correlation_id is None:
        yield
        return
    with structlog.contextvars.bound_contextvars(**{LOG_FIELD: correlation_id}):
        yield


def get_correlation_id() -> str | None:
    """Return the id that is bound here, or None."""
    bound: str | None = structlog.contextvars.get_contextvars().get(LOG_FIELD)
    return bound


class CorrelationInterceptor(ClientInterceptor, WorkerInterceptor):
    """Passes the id on; workers take the interceptor over from their client."""

    @override
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _ClientOutbound(next)

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ActivityInbound(next)

    @override
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _WorkflowInbound


class _ClientOutbound(OutboundInterceptor):
    """Starts a workflow with the id that is bound."""

    @override
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.headers = _add_header(input.headers)
        return await super().start_workflow(input)


class _ActivityInbound(ActivityInboundInterceptor):
    """Runs an activity with its workflow's id bound."""

    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        with bind_correlation_id(_read_header(input.headers)):
            return await super().execute_activity(input)


class _WorkflowInbound(WorkflowInboundInterceptor):
    """Runs a workflow and its handlers with its id bound."""

    @override
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))

    @override
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with bind_correlation_id(_find_workflow_correlation_id()):
            return await super().execute_workflow(input)

    @override
    async def handle_signal(self, input: HandleSignalInput) -> None:
        with bind_correlation_id(_find_workflow_correlation_id()):
            await super().handle_signal(input)

    @override
    async def handle_query(self, input: HandleQueryInput) -> Any:
        with bind_correlation_id(_find_workflow_correlation_id()):
            return await super().handle_query(input)

    @override
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        with bind_correlation_id(_find_workflow_correlation_id()):
            super().handle_update_validator(input)

    @override
    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with bind_correlation_id(_find_workflow_correlation_id()):
            return await super().handle_update_handler(input)


class _WorkflowOutbound(WorkflowOutboundInterceptor):
    """Passes a workflow's id on to whatever it starts."""

    @override
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _add_header(input.headers)
        return super().start_activity(input)

    @override
    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _add_header(input.headers)
        return super().start_local_activity(input)

    @override
    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = _add_header(input.headers)
        return await super().start_child_workflow(input)

    @override
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = _add_header(input.headers)
        super().continue_as_new(input)


def _find_workflow_correlation_id() -> str | None:
    """Return the id from the workflow's header; else, if a person started it, from an attribute."""
    info = workflow.info()
    return _read_header(info.headers) or info.typed_search_attributes.get(_ATTRIBUTE)


def _add_header(headers: Headers) -> Headers:
    correlation_id = get_correlation_id()
    if correlation_id is None:
        return headers
    return {**headers, HEADER_NAME: PayloadConverter.default.to_payloads([correlation_id])[0]}


def _read_header(headers: Headers) -> str | None:
    payload = headers.get(HEADER_NAME)
    if payload is None:
        return None
    correlation_id: str = PayloadConverter.default.from_payloads([payload], [str])[0]
    return correlation_id
