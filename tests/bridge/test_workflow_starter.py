import shutil
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client

from tests.bridge.local import watch
from tests.builders import NOW, an_event, an_incident
from tests.waiting import until
from trimtab.adapters.event_keys import EventSigner, load_event_signer
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.bridge.event_parsing import EventRejectedError
from trimtab.bridge.workflow_starter import TemporalUnavailableError, WorkflowStarter
from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import Severity
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


def workflow_id(event_id: str) -> str:
    return build_drift_response_id("parking", event_id)


async def test_a_signed_event_names_its_publisher(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    signed = load_event_signer(load_settings()).sign(an_event(event_id))

    await starter.start(signed, published_at=NOW)

    assert (await incident(temporal_client, event_id)).publisher == "trimtab"


async def test_an_unsigned_event_and_one_of_a_strangers_open_an_incident_without_a_publisher(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    stranger = EventSigner(key=Ed25519PrivateKey.generate())
    other_id = str(uuid4())

    await starter.start(an_event(event_id), published_at=NOW)
    await starter.start(stranger.sign(an_event(other_id)), published_at=NOW)

    assert (await incident(temporal_client, event_id)).publisher == ""
    assert (await incident(temporal_client, other_id)).publisher == ""


async def test_a_window_that_is_judged_again_is_the_same_incident(
    starter: WorkflowStarter, event_id: str
) -> None:
    signer = load_event_signer(load_settings())
    again = an_event(event_id, current_profile_uri="runs:/another").model_copy(
        update={"time": NOW + timedelta(hours=1)}
    )
    await starter.start(signer.sign(an_event(event_id)), published_at=NOW)

    assert not await starter.start(signer.sign(again), published_at=NOW)


async def test_the_same_id_with_other_content_is_rejected_with_what_differs(
    starter: WorkflowStarter, event_id: str
) -> None:
    """Row 18 of cases/authority.md: it vanished without a word."""
    await starter.start(an_event(event_id), published_at=NOW)

    with pytest.raises(EventRejectedError, match=r"other content: data\.severity differ"):
        await starter.start(an_event(event_id, severity=Severity.LOW), published_at=NOW)


@pytest.mark.parametrize(
    ("kind", "queue", "argument"),
    [
        ("SomethingElse", names.MAIN_QUEUE, None),
        (names.DRIFT_RESPONSE, "a-queue-of-their-own", "ours"),
        (names.DRIFT_RESPONSE, names.MAIN_QUEUE, "junk"),
        (names.DRIFT_RESPONSE, names.MAIN_QUEUE, None),
    ],
)
async def test_an_id_that_somebody_took_in_advance_is_no_incident(
    starter: WorkflowStarter,
    temporal_client: Client,
    event_id: str,
    kind: str,
    queue: str,
    argument: str | None,
) -> None:
    """Row 11 of cases/authority.md: the event was acknowledged and gone."""
    given = an_incident(an_event(event_id)) if argument == "ours" else argument
    await temporal_client.start_workflow(
        kind, args=[] if given is None else [given], id=workflow_id(event_id), task_queue=queue
    )

    with pytest.raises(EventRejectedError, match="is taken by a workflow that no bridge started"):
        await starter.start(an_event(event_id), published_at=NOW)


async def test_an_incident_that_somebody_started_with_limits_of_their_own_is_not_ours(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    limits = Limits(monitor_at_most=Severity.CRITICAL, confidence_above=0.0)
    forged = an_incident(an_event(event_id), limits=limits)
    await temporal_client.start_workflow(
        names.DRIFT_RESPONSE, forged, id=workflow_id(event_id), task_queue=names.MAIN_QUEUE
    )

    with pytest.raises(EventRejectedError, match="limits"):
        await starter.start(an_event(event_id), published_at=NOW)


async def test_after_the_intruder_is_deleted_the_event_opens_its_incident(
    starter: WorkflowStarter, temporal_client: Client, event_id: str
) -> None:
    await temporal_client.start_workflow(
        "SomethingElse", id=workflow_id(event_id), task_queue="nowhere"
    )
    with pytest.raises(EventRejectedError, match=r"workflow delete --workflow-id"):
        await starter.start(an_event(event_id), published_at=NOW)
    execution = WorkflowExecution(workflow_id=workflow_id(event_id))

    await temporal_client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
    )

    async def is_open() -> bool:
        try:
            return await starter.start(an_event(event_id), published_at=NOW)
        except (EventRejectedError, TemporalUnavailableError):
            return False

    await until(is_open, seconds=20)
