"""A tiny OTLP/HTTP receiver on 127.0.0.1: remembers every span that an exporter really sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


@dataclass(frozen=True)
class Span:
    """One span as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty for a root."""
    attributes: dict[str, Any]
    scope: str
    service: str
    path: str
    """Where it was sent, such as /v1/traces."""
    headers: dict[str, str]
    """Of the request that brought it; names in lower case."""


class Capture:
    """What has arrived so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        """Base address, without a slash at the end."""
        self.other: list[str] = []
        """Paths of requests that were no traces."""
        self._spans: list[Span] = []
        self._lock = threading.Lock()

    @property
    def spans(self) -> tuple[Span, ...]:
        """In the order of arrival; the same span twice when it was sent twice."""
        with self._lock:
            return tuple(self._spans)

    def trace(self, correlation_id: str) -> tuple[Span, ...]:
        """Every span of the traces in which some span has this correlation id."""
        traces = {
            span.trace_id
            for span in self.spans
            if span.attributes.get("trimtab.correlation_id") == correlation_id
        }
        return tuple(span for span in self.spans if span.trace_id in traces)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """One request of an exporter."""
        with self._lock:
            if path.endswith("/v1/traces"):
                self._spans += _spans(path, headers, body)
            else:
                self.other.append(path)


@contextmanager
def capturing() -> Iterator[Capture]:
    """A receiver for as long as the block lasts."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.capture = Capture(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Handler.capture
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    capture: ClassVar[Capture]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.capture.take(self.path, headers, body)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _spans(path: str, headers: dict[str, str], body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_attributes(resource.resource.attributes).get("service.name", ""))
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes=_attributes(span.attributes),
                    scope=scope.scope.name,
                    service=service,
                    path=path,
                    headers=headers,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        assert isinstance(pair, KeyValue)
        found[pair.key] = _value(pair.value)
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
