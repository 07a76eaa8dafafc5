import shutil
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client

from tests.bridge.local import watch
from tests.builders import NOW, an_event
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.bridge.event_parsing import EventRejectedError
from trimtab.bridge.workflow_starter import TemporalUnavailableError, WorkflowStarter
from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect_temporal
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
def starter(temporal_client: Client) -> WorkflowStarter:
    return WorkflowStarter(
        temporal_client, configuration=ConfigurationCache(), settings=load_settings()
    )


async def incident(client: Client, event_id: str, model: str = "parking") -> IncidentInput:
    """What the workflow was started with."""
    history = await client.get_workflow_handle(
        build_drift_response_id(model, event_id)
    ).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    [value] = await client.data_converter.decode(started.input.payloads, [IncidentInput])
    assert isinstance(value, IncidentInput)
    return value


async def test_the_incident_takes_specification_limits_and_policy_hash_with_it(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    await starter.start(an_event(event_id), published_at=NOW)

    started = await incident(temporal_client, event_id)
    assert started.event == an_event(event_id)
    assert started.spec.owner == "parking@example.org"
    assert started.limits.cost_at_most == 7
    assert started.policy_hash == compute_digest(started.limits)
    assert started.analyst == "analyst/rules"
    assert started.published_at == NOW
    assert started.as_of is None


async def test_the_incident_takes_the_command_with_it_by_which_a_person_answers(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    await starter.start(an_event(event_id), published_at=NOW)

    command = (await incident(temporal_client, event_id)).answer_command
    assert shutil.which(command.program)
    assert command.address == temporal_client.service_client.config.target_host
    assert command.namespace == temporal_client.namespace


async def test_the_same_event_again_is_no_second_incident(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    assert await starter.start(an_event(event_id), published_at=NOW)
    assert not await starter.start(an_event(event_id), published_at=NOW)

    handle = temporal_client.get_workflow_handle(build_drift_response_id("parking", event_id))
    await handle.terminate()
    assert not await starter.start(an_event(event_id), published_at=NOW)


async def test_the_incident_is_found_and_read_in_the_web_ui(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    await starter.start(an_event(event_id), published_at=NOW)

    handle = temporal_client.get_workflow_handle(build_drift_response_id("parking", event_id))
    described = await handle.describe()
    assert described.task_queue == names.MAIN_QUEUE
    assert described.typed_search_attributes[options.MODEL_KEY] == "parking"
    assert described.typed_search_attributes[options.SEVERITY_KEY] == "high"
    assert described.typed_search_attributes[options.STAGE_KEY] == "opened"
    assert described.typed_search_attributes[options.CORRELATION_ID_KEY] == event_id
    assert await described.static_summary() == "parking: high drift, 2026-11-13 to 2026-11-20"
    assert "`Occupancy` drifted: PSI 0.31" in (await described.static_details() or "")


async def test_the_longest_names_are_no_obstacle(starter: WorkflowStarter) -> None:
    name = "ü" * 120
    watch(name)

    assert await starter.start(an_event("é" * 128, model=name), published_at=NOW)


async def test_a_backtests_bridge_replays_the_past(temporal_client: Client, event_id: str) -> None:
    settings = load_settings(backtest={"replay": True, "approval_timeout": timedelta(seconds=5)})
    starter = WorkflowStarter(
        temporal_client, configuration=ConfigurationCache(), settings=settings
    )

    await starter.start(an_event(event_id), published_at=NOW + timedelta(days=3))

    started = await incident(temporal_client, event_id)
    assert started.as_of == NOW
    assert started.limits.approval_timeout == timedelta(seconds=5)
    assert started.policy_hash == compute_digest(started.limits)


async def test_an_event_of_an_unknown_model_is_rejected_with_the_remedy(
    starter: WorkflowStarter,
) -> None:
    with pytest.raises(EventRejectedError, match="`trimtab init MODEL"):
        await starter.start(an_event(model="unheard-of"), published_at=NOW)


async def test_an_absent_temporal_is_not_held_against_the_event() -> None:
    settings = load_settings(temporal={"address": "127.0.0.1:1"})
    client = await connect_temporal(settings, lazy=True)
    starter = WorkflowStarter(client, configuration=ConfigurationCache(), settings=settings)

    with pytest.raises(TemporalUnavailableError):
        await starter.start(an_event(), published_at=NOW)


async def test_search_attributes_that_somebody_removed_are_put_back(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    await temporal_client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["TrimtabSeverity"])
    )

    with pytest.raises(TemporalUnavailableError, match="TrimtabSeverity"):
        await starter.start(an_event(event_id), published_at=NOW)

    assert await starter.start(an_event(event_id), published_at=NOW)


async def test_an_absent_namespace_is_not_held_against_the_event(temporal_address: str) -> None:
    settings = load_settings(temporal={"address": temporal_address, "namespace": "elsewhere"})
    client = await connect_temporal(settings, lazy=True)
    starter = WorkflowStarter(client, configuration=ConfigurationCache(), settings=settings)

    with pytest.raises(TemporalUnavailableError, match="elsewhere"):
        await starter.start(an_event(), published_at=NOW)
