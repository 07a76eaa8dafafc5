"""Traces: one per incident, from the bridge through workflows, activities and model calls.

They go to an OTLP endpoint, to Langfuse, to both or, unless one is configured, nowhere.
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

from trimtab.runtime.correlation import current_correlation
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import Settings
from trimtab.runtime.trace_sampling import incident_sampler

_log = structlog.get_logger(__name__)
_EXPORT_TIMEOUT: Final = 5.0
_FLUSH_MILLISECONDS: Final = 5000
_ROOT_IS_TAKEN: Final = "langfuse_trace_id"
"""Langfuse's baggage: the trace whose root has been named."""
_SWITCHES: Final = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
"""ADK's own spans then carry the messages of each model call; the environment may say otherwise."""


@contextmanager
def telemetry(settings: Settings, *, service: str) -> Iterator[Sequence[Plugin]]:
    """Plugins for the Temporal client; leaving sends what is left.

    Set up before the client, once a process: OpenTelemetry has one global provider.
    """
    secret = settings.langfuse_secret_key
    to_langfuse = bool(settings.langfuse_public_key and secret)
    if not to_langfuse and (settings.langfuse_public_key or secret):
        _log.warning("langfuse_off", remedy="set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY both")
    if not (settings.telemetry.otlp_endpoint or to_langfuse):
        yield ()
        return
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    provider = _provider(service)
    if settings.telemetry.otlp_endpoint:
        exporter = OTLPSpanExporter(
            endpoint=str(settings.telemetry.otlp_endpoint), timeout=_EXPORT_TIMEOUT
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
    if to_langfuse:
        _send_to_langfuse(provider, settings)
    try:
        yield (OpenTelemetryPlugin(add_temporal_spans=True),)
    finally:
        provider.force_flush(_FLUSH_MILLISECONDS)
        provider.shutdown()


@contextmanager
def first_span(name: str, *, attributes: Mapping[str, str]) -> Iterator[None]:
    """The root of a trace; Langfuse then takes no span below it for another root."""
    tracer = trace.get_tracer("trimtab")
    with tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes) as span:
        trace_id = format_trace_id(span.get_span_context().trace_id)
        token = attach(set_baggage(_ROOT_IS_TAKEN, trace_id))
        try:
            yield
        finally:
            detach(token)


def _provider(service: str) -> ReplaySafeTracerProvider:
    provider = create_tracer_provider(
        sampler=incident_sampler(), resource=Resource.create({"service.name": service})
    )
    provider.add_span_processor(_Correlating())
    trace.set_tracer_provider(provider)
    if trace.get_tracer_provider() is not provider:
        fault = (
            "telemetry: another part of this process has set OpenTelemetry's tracer provider; set"
            " up telemetry first"
        )
        raise BadConfigurationError([fault])
    return provider


def _send_to_langfuse(provider: ReplaySafeTracerProvider, settings: Settings) -> None:
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


class _Correlating(SpanProcessor):
    """Gives each span the correlation id, under our name and under Langfuse's for a session."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the base class's signature
        correlation_id = current_correlation()
        if correlation_id is not None:
            span.set_attribute("trimtab.correlation_id", correlation_id)
            span.set_attribute("session.id", correlation_id)
            span.set_attribute("langfuse.trace.metadata.correlation_id", correlation_id)
