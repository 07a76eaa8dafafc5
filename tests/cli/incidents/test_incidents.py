"""`trimtab incidents`, `show`, `approve` and `reject` against a real Temporal server."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from temporalio.client import Client
from typer.testing import CliRunner, Result

from tests.builders import a_spec, an_event, an_incident
from tests.chains import a_line
from tests.servers import running
from tests.waiting import until
from tests.workflows.test_drift_response import PATIENT, waiting
from tests.workflows.world import Handle, World
from trimtab.adapters import incident_client
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.adapters.incident_client import IncidentClient, IncidentNotFoundError
from trimtab.cli.app import app
from trimtab.contracts import names
from trimtab.contracts.approvers import Approver
from trimtab.contracts.audit import GENESIS, SWEEPER, AuditAppend, Gate
from trimtab.contracts.incident import Ending, IncidentInput
from trimtab.contracts.model import Tier
from trimtab.contracts.settlement import Settlement, SettlementKind
from trimtab.runtime.embedded.servers import TemporalServer
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect_temporal

Trimtab = Callable[..., Awaitable[Result]]


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own: Temporal remembers workers, and other tests must see none."""
    folder = tmp_path_factory.mktemp("temporal")
    with running(TemporalServer(folder / "temporal.db"), folder) as ports:
        yield f"127.0.0.1:{ports[0]}"


@pytest.fixture
async def client(own_address: str) -> Client:
    return await connect_temporal(load_settings(temporal={"address": own_address}))


@pytest.fixture
def trimtab(own_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trimtab:
    monkeypatch.setenv("TRIMTAB_TEMPORAL__ADDRESS", own_address)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    async def call(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, words)

    return call


@pytest.fixture
def world(client: Client, tmp_path: Path) -> World:
    return World(client, tmp_path)


def asking(event_id: str | None = None, **limits: Any) -> IncidentInput:
    people = {"approvers": {"ada": Approver()}, **limits}
    return an_incident(
        an_event(event_id or f"event-{uuid4().hex[:8]}"),
        spec=a_spec(tier=Tier.CRITICAL),
        analyst="script/retrain",
        limits=PATIENT.model_copy(update=people),
    )


async def test_a_plan_is_approved_with_the_command_that_its_page_names(
    world: World, trimtab: Trimtab
) -> None:
    incident = asking()
    said: list[Result] = []

    async def play(handle: Handle) -> None:
        view = await waiting(handle)
        assert view.plan_hash is not None
        said.append(await trimtab("incidents", "--open"))
        said.append(await trimtab("show", incident.event.id[:11]))
        said.append(
            await trimtab(
                "approve", incident.event.id, "--plan", view.plan_hash[:12], "--as", "ada"
            )
        )

    report = await world.respond(incident, play=play)
    closed = await trimtab("show", incident.event.id)

    listed, shown, approved = said
    assert report.ending is Ending.REMEDIATED
    assert incident.event.id in listed.output
    assert "waiting for person" in listed.output
    assert "may answer: ada" in shown.output
    assert (approved.exit_code, approved.output.strip()) == (
        0,
        "Answered as ada (not signed): the answer settles the question.",
    )
    assert closed.exit_code == 0
    assert "as remediated" in closed.output
    assert "approved by ada" in closed.output


async def test_a_mistake_is_refused_at_once_and_says_why(world: World, trimtab: Trimtab) -> None:
    incident = asking()
    said: dict[str, Result] = {}

    async def play(handle: Handle) -> None:
        await waiting(handle)
        event = incident.event.id
        said["unlisted"] = await trimtab("approve", event, "--as", "mallory")
        said["other plan"] = await trimtab("approve", event, "--as", "ada", "--plan", "0" * 12)
        said["no id"] = await trimtab("approve", "no-such-incident")
        said["rejected"] = await trimtab("reject", event, "--as", "ada", "--reason", "not today")

    report = await world.respond(incident, play=play)
    said["closed"] = await trimtab("approve", incident.event.id, "--as", "ada")

    assert report.ending is Ending.REJECTED
    assert {name: result.exit_code for name, result in said.items()} == {
        "unlisted": 1,
        "other plan": 1,
        "no id": 2,
        "rejected": 0,
        "closed": 2,
    }
    assert "'mallory' is not among the approvers: ada" in said["unlisted"].output
    assert "`--as NAME`, or set TRIMTAB_APPROVER__NAME" in said["unlisted"].output
    assert "ValueError" not in said["unlisted"].output
    assert "not about '000000000000'" in said["other plan"].output
    assert "no open incident" in said["closed"].output
    (answer,) = report.answers
    assert answer.decision is not None
    assert answer.decision.reason == "not today"


async def test_a_key_signs_and_the_policy_requires_it(
    world: World, trimtab: Trimtab, tmp_path: Path
) -> None:
    made = await trimtab("approvers", "new", "ada")
    again = await trimtab("approvers", "new", "ada")
    policy = yaml.safe_load(made.output.partition("\n\n")[2].partition("\n\n")[0])
    approver = Approver.model_validate(policy["approvers"]["ada"])
    key = tmp_path / ".config" / "trimtab" / "approver.pem"
    incident = asking(approvers={"ada": approver}, require_signature=True)
    said: list[Result] = []

    async def play(handle: Handle) -> None:
        await waiting(handle)
        hidden = key.rename(key.with_name("elsewhere"))
        said.append(await trimtab("approve", incident.event.id, "--as", "ada"))
        hidden.rename(key)
        said.append(await trimtab("approve", incident.event.id, "--as", "ada"))

    report = await world.respond(incident, play=play)

    assert "made now" in made.output
    assert "was there already" in again.output
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [each.exit_code for each in said] == [2, 0], [each.output for each in said]
    assert "requires a signature" in said[0].output
    assert "(signed)" in said[1].output
    assert report.ending is Ending.REMEDIATED


async def test_an_ambiguous_beginning_is_refused_and_names_what_it_fits(
    client: Client,
) -> None:
    prefix = f"event-{uuid4().hex[:8]}"
    for suffix in ("a", "b"):
        incident = asking(f"{prefix}-{suffix}")
        await client.start_workflow(
            names.DRIFT_RESPONSE,
            incident,
            id=names.build_drift_response_id("parking", incident.event.id),
            task_queue="nobody-serves-it",
        )
    incidents = IncidentClient(client)
    await until(lambda: _are_listed(incidents, prefix))

    with pytest.raises(IncidentNotFoundError, match="beginning of 2 incidents"):
        await incidents.find(prefix)
    assert (await incidents.find(f"{prefix}-a")).incident == f"{prefix}-a"
    assert (await incidents.find(f"drift-response/parking/{prefix}-b")).model == "parking"
    for suffix in ("a", "b"):
        await client.get_workflow_handle(f"drift-response/parking/{prefix}-{suffix}").terminate()


async def test_a_terminated_incident_is_stuck_and_a_closed_one_is_not(
    world: World, client: Client, trimtab: Trimtab
) -> None:
    quick = timedelta(seconds=0.5)
    closed = asking(approval_timeout=quick, reminder_after=quick)
    await world.respond(closed)
    ended = asking()
    workflow_id = names.build_drift_response_id("parking", ended.event.id)
    await client.start_workflow(
        names.DRIFT_RESPONSE, ended, id=workflow_id, task_queue="nobody-serves-it"
    )
    await client.get_workflow_handle(workflow_id).terminate()
    await until(lambda: _are_listed(IncidentClient(client), ended.event.id, "terminated"))

    shown = await trimtab("incidents", "--stuck", "--model", "parking", "--json")
    other = await trimtab("incidents", "--stuck", "--model", "no-such-model")

    stuck = {row["incident"]: row["stuck"] for row in json.loads(shown.output)}
    assert "ended as terminated" in stuck[ended.event.id]
    assert closed.event.id not in stuck
    assert (shown.exit_code, other.exit_code) == (1, 0)
    assert "No stuck incidents" in other.output


async def test_an_answer_without_a_worker_says_that_nothing_was_recorded(
    client: Client, trimtab: Trimtab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_client, "_QUERY_SECONDS", 2.0)
    incident = asking()
    workflow_id = names.build_drift_response_id("parking", incident.event.id)
    handle = await client.start_workflow(
        names.DRIFT_RESPONSE, incident, id=workflow_id, task_queue="nobody-serves-it"
    )
    await until(lambda: _are_listed(IncidentClient(client), incident.event.id))

    answered = await trimtab("approve", incident.event.id, "--as", "ada")

    await handle.terminate()
    assert answered.exit_code == 1
    assert "your answer was not sent, and is not recorded" in answered.output
    assert "no worker answered: start one with" in answered.output
    assert "http2" not in answered.output


async def test_an_incident_that_the_sweep_has_closed_is_shown_so_and_is_not_stuck(
    client: Client, trimtab: Trimtab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    incident = asking()
    event = incident.event.id
    handle = await client.start_workflow(
        names.DRIFT_RESPONSE,
        incident,
        id=names.build_drift_response_id("parking", event),
        task_queue="nobody-serves-it",
    )
    await handle.terminate(reason="oops")
    await until(lambda: _are_listed(IncidentClient(client), event, "terminated"))
    log = JsonlAuditLog(home / "audit", key=load_audit_key(home / "keys" / "audit.key"))
    settlement = Settlement(kind=SettlementKind.EXAMINE, reason="somebody moved it", champion="7")
    end = {
        "ending": "abandoned",
        "failure": "the workflow was gone: somebody moved it",
        "settlement": settlement.model_dump(mode="json"),
    }
    asked = a_line(0, Gate.ASKED, incident=event)
    closed = a_line(1, Gate.CLOSED, incident=event, actor=SWEEPER, detail=end)

    log.append(AuditAppend(entries=(asked.entry,), tip=GENESIS))
    before = await trimtab("show", event)
    stuck = await trimtab("incidents", "--stuck")
    log.append(AuditAppend(entries=(asked.entry, closed.entry), tip=GENESIS))
    shown = await trimtab("show", event)
    settled = await trimtab("incidents", "--stuck")

    assert (before.exit_code, shown.exit_code) == (1, 0)
    assert "ended without a report: oops" in before.output
    assert "as abandoned, by the sweeper" in shown.output
    assert "the workflow was gone: somebody moved it" in shown.output
    assert "Settlement: examine. PLEASE LOOK at parking: is version 7 meant" in shown.output
    assert event in stuck.output
    assert event not in settled.output


async def test_nobody_gets_the_name_of_a_part_of_trimtab(trimtab: Trimtab) -> None:
    made = await trimtab("approvers", "new", "policy")

    assert made.exit_code == 2
    assert "part of Trimtab" in made.output


async def _are_listed(incidents: IncidentClient, prefix: str, status: str = "") -> bool:
    rows = [row for row in await incidents.list_rows() if row.incident.startswith(prefix)]
    return bool(rows) and all(row.status == status or not status for row in rows)
