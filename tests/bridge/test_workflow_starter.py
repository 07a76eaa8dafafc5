from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client

from tests.bridge.local import watch
from tests.builders import NOW, an_event
from trimtab.bridge.configuration import Configuration
from trimtab.bridge.event_parsing import Refusal
from trimtab.bridge.workflow_starter import Opener, TemporalUnavailableError
from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.names import drift_response_id
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect
from workflows import options


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    watch("parking", owner="parking@example.org")
    Path("conf/local/policy.yml").write_text("cost_at_most: 7")


@pytest.fixture
def event_id() -> str:
    return str(uuid4())


@pytest.fixture
def opener(temporal_client: Client) -> Opener:
    return Opener(temporal_client, configuration=Configuration(), settings=load_settings())


async def incident(client: Client, event_id: str, model: str = "parking") -> IncidentInput:
    """What the workflow was started with."""
    history = await client.get_workflow_handle(drift_response_id(model, event_id)).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    [value] = await client.data_converter.decode(started.input.payloads, [IncidentInput])
    assert isinstance(value, IncidentInput)
    return value


async def test_the_incident_takes_specification_limits_and_policy_hash_with_it(
    opener: Opener, temporal_client: Client, event_id: str
) -> None:
    await opener.open(an_event(event_id), published_at=NOW)

    opened = await incident(temporal_client, event_id)
    assert opened.event == an_event(event_id)
    assert opened.spec.owner == "parking@example.org"
    assert opened.limits.cost_at_most == 7
    assert opened.policy_hash == compute_digest(opened.limits)
    assert opened.analyst == "analyst/rules"
    assert opened.published_at == NOW
    assert opened.as_of is None


async def test_the_same_event_again_is_no_second_incident(
    opener: Opener, temporal_client: Client, event_id: str
) -> None:
    assert await opener.open(an_event(event_id), published_at=NOW)
    assert not await opener.open(an_event(event_id), published_at=NOW)

    handle = temporal_client.get_workflow_handle(drift_response_id("parking", event_id))
    await handle.terminate()
    assert not await opener.open(an_event(event_id), published_at=NOW)


async def test_the_incident_is_found_and_read_in_the_web_ui(
    opener: Opener, temporal_client: Client, event_id: str
) -> None:
    await opener.open(an_event(event_id), published_at=NOW)

    handle = temporal_client.get_workflow_handle(drift_response_id("parking", event_id))
    described = await handle.describe()
    assert described.task_queue == names.MAIN_QUEUE
    assert described.typed_search_attributes[options.MODEL] == "parking"
    assert described.typed_search_attributes[options.SEVERITY] == "high"
    assert described.typed_search_attributes[options.STAGE] == "opened"
    assert described.typed_search_attributes[options.CORRELATION_ID] == event_id
    assert await described.static_summary() == "parking: high drift, 2026-11-13 to 2026-11-20"
    assert "`Occupancy` drifted: PSI 0.31" in (await described.static_details() or "")


def test_a_slash_in_a_name_makes_no_two_events_one() -> None:
    assert drift_response_id("team/parking", "1") != drift_response_id("team", "parking/1")


async def test_the_longest_names_are_no_obstacle(opener: Opener) -> None:
    name = "ü" * 120
    watch(name)

    assert await opener.open(an_event("é" * 128, model=name), published_at=NOW)


async def test_a_backtests_bridge_replays_the_past(temporal_client: Client, event_id: str) -> None:
    settings = load_settings(backtest={"replay": True, "approval_timeout": timedelta(seconds=5)})
    opener = Opener(temporal_client, configuration=Configuration(), settings=settings)

    await opener.open(an_event(event_id), published_at=NOW + timedelta(days=3))

    opened = await incident(temporal_client, event_id)
    assert opened.as_of == NOW
    assert opened.limits.approval_timeout == timedelta(seconds=5)
    assert opened.policy_hash == compute_digest(opened.limits)


async def test_an_unknown_model_is_refused_with_the_remedy(opener: Opener) -> None:
    with pytest.raises(Refusal, match="`trimtab init NAME"):
        await opener.open(an_event(model="unheard-of"), published_at=NOW)


async def test_an_absent_temporal_is_no_fault_of_the_event() -> None:
    settings = load_settings(temporal={"address": "127.0.0.1:1"})
    client = await connect(settings, lazy=True)
    opener = Opener(client, configuration=Configuration(), settings=settings)

    with pytest.raises(TemporalUnavailableError):
        await opener.open(an_event(), published_at=NOW)


async def test_search_attributes_that_somebody_removed_are_put_back(
    opener: Opener, temporal_client: Client, event_id: str
) -> None:
    await temporal_client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["TrimtabSeverity"])
    )

    with pytest.raises(TemporalUnavailableError, match="TrimtabSeverity"):
        await opener.open(an_event(event_id), published_at=NOW)

    assert await opener.open(an_event(event_id), published_at=NOW)


async def test_an_absent_namespace_is_no_fault_of_the_event(temporal_address: str) -> None:
    settings = load_settings(temporal={"address": temporal_address, "namespace": "elsewhere"})
    client = await connect(settings, lazy=True)
    opener = Opener(client, configuration=Configuration(), settings=settings)

    with pytest.raises(TemporalUnavailableError, match="elsewhere"):
        await opener.open(an_event(), published_at=NOW)
