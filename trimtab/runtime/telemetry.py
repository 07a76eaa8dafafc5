"""Traces incidents, one trace each, from the bridge through workflows, activities and model calls.

Spans go to an OTLP endpoint, to Langfuse or to both, as configured; to neither by default.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, cast

import structlog
from opentelemetry import trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, format_trace_id
from temporalio.client import Plugin
from temporalio.contrib.opentelemetry import (
    OpenTelemetryPlugin,
    ReplaySafeTracerProvider,
    create_tracer_provider,
)
from typing_extensions import override

from trimtab.contracts import tags
from trimtab.runtime.correlation import get_correlation_id
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import Settings
from trimtab.runtime.trace_sampling import make_incident_sampler

_log = structlog.get_logger(__name__)
_EXPORT_TIMEOUT_SECONDS: Final = 5.0
_FLUSH_MILLISECONDS: Final = 5000
_LANGFUSE_BAGGAGE: Final = "langfuse_trace_id"
"""Baggage by which Langfuse knows that a trace has its root."""
_ADK_VARIABLES: Final = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
"""Variables with which ADK's own spans carry the messages of each model call; values of the
environment win."""


@contextmanager
def start_tracing(settings: Settings, *, service: str) -> Iterator[Sequence[Plugin]]:
    """Yield plugins for the Temporal client; send the remaining spans when the block ends.

    Call it before the client is made, once a process: OpenTelemetry has one global provider.

    Raises:
        BadConfigurationError: The process has another provider already.
    """
    secret = settings.langfuse_secret_key
    to_langfuse = bool(settings.langfuse_public_key and secret)
    if not to_langfuse and (settings.langfuse_public_key or secret):
        _log.warning("langfuse_off", remedy="set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY both")
    if not (settings.telemetry.otlp_endpoint or to_langfuse):
        yield ()
        return
    for name, value in _ADK_VARIABLES.items():
        os.environ.setdefault(name, value)
    provider = _set_up_provider(service)
    if settings.telemetry.otlp_endpoint:
        exporter = OTLPSpanExporter(
            endpoint=str(settings.telemetry.otlp_endpoint), timeout=_EXPORT_TIMEOUT_SECONDS
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
    if to_langfuse:
        _add_langfuse(provider, settings)
    try:
        yield (OpenTelemetryPlugin(add_temporal_spans=True),)
    finally:
        provider.force_flush(_FLUSH_MILLISECONDS)
        provider.shutdown()


@contextmanager
def start_root_span(name: str, *, attributes: Mapping[str, str]) -> Iterator[None]:
    """Make the block the root of a trace; Langfuse then takes no span below it for another root."""
    tracer = trace.get_tracer("trimtab")
    with tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes) as span:
        trace_id = format_trace_id(span.get_span_context().trace_id)
        token = attach(set_baggage(_LANGFUSE_BAGGAGE, trace_id))
        try:
            yield
        finally:
            detach(token)


def _set_up_provider(service: str) -> ReplaySafeTracerProvider:
    provider = create_tracer_provider(
        sampler=make_incident_sampler(), resource=Resource.create({"service.name": service})
    )
    provider.add_span_processor(_CorrelationSpanProcessor())
    trace.set_tracer_provider(provider)
    if trace.get_tracer_provider() is not provider:
        fault = (
            "telemetry: another part of this process has set OpenTelemetry's tracer provider; start"
            " tracing first"
        )
        raise BadConfigurationError([fault])
    return provider


def _add_langfuse(provider: ReplaySafeTracerProvider, settings: Settings) -> None:
    from langfuse import Langfuse  # noqa: PLC0415 - takes a second, and most runs do without

    secret = settings.langfuse_secret_key
    Langfuse(
        public_key=settings.langfuse_public_key,
        secret_key=secret.get_secret_value() if secret else None,
        base_url=str(settings.langfuse_base_url).rstrip("/")
        if settings.langfuse_base_url
        else None,
        tracer_provider=cast("TracerProvider", provider),
        should_export_span=lambda _: True,
    )


class _CorrelationSpanProcessor(SpanProcessor):
    """Gives each span the correlation id, under our name and under Langfuse's for a session."""

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        correlation_id = get_correlation_id()
        if correlation_id is not None:
            span.set_attribute(tags.CORRELATION_ID_TAG, correlation_id)
            span.set_attribute("session.id", correlation_id)
            span.set_attribute("langfuse.trace.metadata.correlation_id", correlation_id)
