"""What the exporters really send, of incidents from the stream to the model calls."""

import asyncio
import base64
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError

from tests.architecture.sources import ROOT
from tests.bridge.local import watch
from tests.builders import an_event
from tests.e2e.capture import Capture, Span, capturing
from tests.waiting import until
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.settings import load_settings
from trimtab.runtime.telemetry import start_tracing
from trimtab.runtime.temporal import connect_temporal

EVENTS = ("event-1", "event-2")
LANGFUSE = "/api/public/otel/v1/traces"
OTLP = "/v1/traces"


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """Two incidents, sent to Langfuse and to a collector; the worker replays at every step."""
    home = tmp_path_factory.mktemp("traced")
    with pytest.MonkeyPatch.context() as patch, capturing() as capture:
        patch.chdir(home)
        watch("parking")
        asyncio.run(two_incidents(home, capture))
        yield capture


async def two_incidents(home: Path, capture: Capture) -> None:
    environment = {
        "PYTHONPATH": str(ROOT),
        "LANGFUSE_PUBLIC_KEY": "pk-test",
        "LANGFUSE_SECRET_KEY": "sk-test",
        "LANGFUSE_BASE_URL": capture.url,
        "TRIMTAB_TELEMETRY__OTLP_ENDPOINT": f"{capture.url}{OTLP}",
    }
    settings = load_settings(home=home)
    async with EmbeddedStack(settings) as stack:
        worker = [sys.executable, "-m", "tests.runtime.traced"]
        stack.start_child("worker", worker, environment=environment)
        starter = [sys.executable, str(ROOT / "starter.py")]
        stack.start_child("bridge", starter, environment=environment)
        async with Redis.from_url(stack.addresses.redis) as redis:
            for event_id in EVENTS:
                await redis.xadd("drift-events", {"event": an_event(event_id).model_dump_json()})
        client = await connect_temporal(settings)
        for event_id in EVENTS:
            await until(lambda event_id=event_id: concluded(client, event_id), seconds=90)  # type: ignore[misc]  # mypy cannot infer a default's type


async def concluded(client: Client, event_id: str) -> bool:
    handle = client.get_workflow_handle(build_drift_response_id("parking", event_id))
    try:
        return bool(await handle.result() == "The target moved.")
    except RPCError:
        return False


def sent(capture: Capture, path: str, event_id: str = "event-1") -> list[Span]:
    return [span for span in capture.trace(event_id) if span.path == path]


def model_calls(spans: list[Span]) -> list[Span]:
    kind = "gen_ai.operation.name"
    return [span for span in spans if span.attributes.get(kind) == "generate_content"]


@pytest.mark.parametrize("path", [LANGFUSE, OTLP])
@pytest.mark.parametrize("event_id", EVENTS)
def test_an_incident_is_one_trace_with_its_model_calls(
    captured: Capture, path: str, event_id: str
) -> None:
    spans = sent(captured, path, event_id)

    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_id] == ["incident parking"]
    assert {span.service for span in spans} == {"trimtab-bridge", "trimtab-worker"}
    assert len(model_calls(spans)) == 2


@pytest.mark.parametrize("path", [LANGFUSE, OTLP])
def test_replay_adds_no_span(captured: Capture, path: str) -> None:
    spans = sent(captured, path)

    assert max(Counter(span.span_id for span in spans).values()) == 1
    names = Counter(span.name for span in spans)
    assert names["RunWorkflow:DriftResponseWorkflow"] == 1
    assert names["RunWorkflow:DeliberationWorkflow"] == 1
    assert names["RunActivity:invoke_model"] == 2
    assert names["RunActivity:look"] == 2


def test_no_span_hangs_in_the_air(captured: Capture) -> None:
    spans = sent(captured, LANGFUSE)

    there = {span.span_id for span in spans}
    assert [span.name for span in spans if span.parent_id and span.parent_id not in there] == []


def test_langfuse_finds_the_one_root(captured: Capture) -> None:
    roots = [
        span.name
        for span in sent(captured, LANGFUSE)
        if span.attributes.get("langfuse.internal.is_app_root")
    ]

    assert roots == ["incident parking"]


def test_every_span_carries_the_correlation_id_as_langfuses_session_too(captured: Capture) -> None:
    for span in sent(captured, LANGFUSE):
        assert span.attributes["trimtab.correlation_id"] == "event-1", span.name
        assert span.attributes["session.id"] == "event-1"
        assert span.attributes["langfuse.trace.metadata.correlation_id"] == "event-1"


def test_a_model_call_shows_model_tokens_and_messages(captured: Capture) -> None:
    first, second = model_calls(sent(captured, LANGFUSE))

    assert first.attributes["gen_ai.request.model"] == "traced/one"
    assert first.attributes["gen_ai.usage.input_tokens"] == 100
    assert "drift of parking" in str(first.attributes["gen_ai.input.messages"])
    assert "The target moved." in str(second.attributes["gen_ai.output.messages"])


def test_langfuse_is_spoken_to_with_the_keys_given(captured: Capture) -> None:
    [credentials] = {span.headers["authorization"] for span in sent(captured, LANGFUSE)}

    assert base64.b64decode(credentials.removeprefix("Basic ")) == b"pk-test:sk-test"


def test_without_a_destination_there_is_no_telemetry() -> None:
    with start_tracing(load_settings(), service="trimtab-tests") as plugins:
        assert plugins == ()


def test_half_of_langfuses_keys_is_logged() -> None:
    settings = load_settings(langfuse_public_key="pk-test")

    with capture_logs() as logs, start_tracing(settings, service="trimtab-tests") as plugins:
        assert plugins == ()

    assert [line["event"] for line in logs] == ["langfuse_off"]
