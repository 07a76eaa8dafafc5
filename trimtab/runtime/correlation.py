"""Carries the correlation id of an incident through client, workflows and activities.

It travels in a Temporal header, is bound where logs and spans find it, and is needed nowhere else:
no workflow or activity mentions it. `runtime.temporal.connect` puts the interceptor in place.
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

from trimtab.contracts import names

KEY: Final = "correlation_id"
"""Name in logs."""
HEADER: Final = "trimtab-correlation-id"
_ATTRIBUTE: Final = SearchAttributeKey.for_keyword(names.CORRELATION_ID)

Headers = Mapping[str, Payload]


@contextmanager
def bind_correlation(correlation_id: str | None) -> Iterator[None]:
    """Every log line and span inside carries the id; None changes nothing."""
    if correlation_id is None:
        yield
        return
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
        yield


def current_correlation() -> str | None:
    """The id bound here, or None."""
    bound: str | None = structlog.contextvars.get_contextvars().get(KEY)
    return bound


class CorrelationInterceptor(ClientInterceptor, WorkerInterceptor):
    """For the client; workers take it over from there."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the base class's name
        """Starting a workflow passes on what is bound."""
        return _Client(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - as above
        """An activity runs with its workflow's id bound."""
        return _Activity(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - as above
    ) -> type[WorkflowInboundInterceptor]:
        """A workflow and its handlers run with its id bound."""
        return _Workflow


class _Client(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - as above
        input.headers = _with_id(input.headers)
        return await super().start_workflow(input)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as above
        with bind_correlation(_id_in(input.headers)):
            return await super().execute_activity(input)


class _Workflow(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002, ANN401 - as above
        with bind_correlation(_workflows_id()):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - as above
        with bind_correlation(_workflows_id()):
            await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002, ANN401 - as above
        with bind_correlation(_workflows_id()):
            return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002 - as above
        with bind_correlation(_workflows_id()):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002, ANN401 - as above
        with bind_correlation(_workflows_id()):
            return await super().handle_update_handler(input)


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - as above
        input.headers = _with_id(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - as above
        input.headers = _with_id(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(
        self,
        input: StartChildWorkflowInput,  # noqa: A002 - as above
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = _with_id(input.headers)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002 - as above
        input.headers = _with_id(input.headers)
        super().continue_as_new(input)


def _workflows_id() -> str | None:
    """From its header; for one that a person started, from its search attribute."""
    info = workflow.info()
    return _id_in(info.headers) or info.typed_search_attributes.get(_ATTRIBUTE)


def _with_id(headers: Headers) -> Headers:
    correlation_id = current_correlation()
    if correlation_id is None:
        return headers
    return {**headers, HEADER: PayloadConverter.default.to_payloads([correlation_id])[0]}


def _id_in(headers: Headers) -> str | None:
    payload = headers.get(HEADER)
    if payload is None:
        return None
    correlation_id: str = PayloadConverter.default.from_payloads([payload], [str])[0]
    return correlation_id
