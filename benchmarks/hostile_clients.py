"""Attacks by whoever has Temporal access: incidents started by hand, squatted ids, floods.

Such a client sees every history and may run workers, but holds no key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

from attacked_deployment import Deployment
from attacked_models import CRITICAL, name_model
from incident_batches import KindResult, await_end, run_batch
from strangers import STRANGERS_QUEUE, StrangerCall
from temporalio.client import WorkflowHandle
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentInput, IncidentView, Stage
from trimtab.contracts.model import Tier
from trimtab.contracts.remediation import Action
from workflows.options import STAGE_KEY

Attack = Callable[[Deployment, KindResult, str], Awaitable[None]]
"""Runs one incident about a group's model, and adds how it ended."""

_FLOOD: Final = 100
_QUESTION_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.2
LAVISH: Final = Limits(
    confidence_above=0.0,
    allowed_actions=dict.fromkeys(Tier, (Action.RETRAIN, Action.ROLL_BACK)),
    rules_likelihood_at_least=0.0,
    cooldown=timedelta(0),
    approval_timeout=timedelta(seconds=2),
    event_age_at_most=timedelta(days=30_000),
    verification_margin=1e9,
)
"""Limits that allow everything."""


async def start_by_hand(deployment: Deployment, incident: IncidentInput) -> None:
    """Start an incident without the bridge, with any input."""
    event = incident.event
    await deployment.client.start_workflow(
        names.DRIFT_RESPONSE,
        incident,
        id=names.build_drift_response_id(event.subject, event.id),
        task_queue=names.MAIN_QUEUE,
    )


async def _run_by_hand(
    deployment: Deployment,
    result: KindResult,
    event: DriftEvent,
    **changes: Any,  # noqa: ANN401
) -> None:
    incident = deployment.build_input(event).model_copy(update=changes)
    await start_by_hand(deployment, incident)
    result.add_report(await await_end(deployment, event), is_loss=False)


def _build_signed(deployment: Deployment, situation: str, group: str) -> DriftEvent:
    event = deployment.events.build(name_model(situation, group), "client")
    return deployment.signer.sign(event)


async def use_own_limits(deployment: Deployment, result: KindResult, group: str) -> None:
    """Start a critical model's incident with limits that allow everything, and their hash."""
    event = _build_signed(deployment, CRITICAL, group)
    digest = compute_digest(LAVISH)
    await _run_by_hand(deployment, result, event, limits=LAVISH, policy_hash=digest)


async def _use_own_limits_under_true_hash(
    deployment: Deployment, result: KindResult, group: str
) -> None:
    event = _build_signed(deployment, CRITICAL, group)
    await _run_by_hand(deployment, result, event, limits=LAVISH)


async def use_own_spec(deployment: Deployment, result: KindResult, group: str) -> None:
    """Start a critical model's incident with a specification that says experimental."""
    event = _build_signed(deployment, CRITICAL, group)
    spec = deployment.build_input(event).spec.model_copy(update={"tier": Tier.EXPERIMENTAL})
    await _run_by_hand(deployment, result, event, spec=spec)


async def _use_past(deployment: Deployment, result: KindResult, group: str) -> None:
    event = _build_signed(deployment, "loss", group)
    past = datetime.now(UTC) - timedelta(hours=1)
    await _run_by_hand(deployment, result, event, as_of=past)


async def _use_future(deployment: Deployment, result: KindResult, group: str) -> None:
    event = _build_signed(deployment, "loss", group)
    await _run_by_hand(deployment, result, event, as_of=datetime(2999, 1, 1, tzinfo=UTC))


async def claim_publisher(deployment: Deployment, result: KindResult, group: str) -> None:
    """Say that an accepted publisher signed an event that nobody signed."""
    event = deployment.events.build(name_model("loss", group), "client")
    await _run_by_hand(deployment, result, event, publisher="trimtab")


async def _name_oneself(deployment: Deployment, result: KindResult, group: str) -> None:
    """Put one's own name into the input as the local user's, and approve."""
    event = _build_signed(deployment, CRITICAL, group)
    incident = deployment.build_input(event).model_copy(update={"local_user": "mallory"})
    await start_by_hand(deployment, incident)
    view = await await_question(deployment, event)
    answer = {"plan_hash": view.plan_hash, "approver": "mallory", "decision": "approve"}
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    with suppress(RPCError):  # it has ended meanwhile
        await handle.signal("human_decision", answer)
    result.add_report(await await_end(deployment, event), is_loss=False)


async def await_question(deployment: Deployment, event: DriftEvent) -> IncidentView:
    """Wait until the incident asks a person or has ended, and return what it shows.

    The server is asked for its stage: a query would be a task for the worker each time.
    """
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    async with asyncio.timeout(_QUESTION_SECONDS):
        while True:
            found = (await handle.describe()).typed_search_attributes.get(STAGE_KEY)
            if found in {Stage.WAITING.value, Stage.CLOSED.value}:
                view: IncidentView = await handle.query("incident", result_type=IncidentView)
                return view
            await asyncio.sleep(_POLL_SECONDS)


async def _flood(deployment: Deployment, result: KindResult, group: str) -> None:
    """Send many answers by signal: unreadable, unlisted, of parts of Trimtab, of other plans."""
    event = _build_signed(deployment, CRITICAL, group)
    await deployment.start_incident(event)
    view = await await_question(deployment, event)
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    shapes: list[Any] = [
        {"plan_hash": view.plan_hash, "approver": "trimtab", "decision": "approve"},
        {"plan_hash": view.plan_hash, "approver": "mallory", "decision": "approve"},
        {"plan_hash": "0" * 64, "approver": "parking@example.org", "decision": "approve"},
        "approve",
        {"approver": "x" * 5000},
        None,
    ]
    for number in range(_FLOOD):
        try:
            await handle.signal("human_decision", shapes[number % len(shapes)])
        except RPCError:
            break  # it has ended meanwhile
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _squat_remediation(deployment: Deployment, result: KindResult, group: str) -> None:
    """Hold the id of the model's remediation while an incident about it acts."""
    event = _build_signed(deployment, "loss", group)
    try:
        squatter = await deployment.client.start_workflow(
            "Stranger",
            args=[[], 20.0],
            id=names.build_remediation_id(event.subject),
            task_queue=STRANGERS_QUEUE,
        )
    except WorkflowAlreadyStartedError:
        squatter = None  # another attack holds it
    await deployment.start_incident(event)
    result.add_report(await await_end(deployment, event), is_loss=False)
    if squatter is not None:
        await squatter.terminate("the benchmark is done with it")


async def _squat_deliberation(deployment: Deployment, result: KindResult, group: str) -> None:
    """Run a workflow of one's own under the id of the deliberation."""
    event = _build_signed(deployment, "loss", group)
    await deployment.client.start_workflow(
        "Stranger",
        args=[[], 10.0],
        id=names.build_deliberation_id(event.subject, event.id),
        task_queue=STRANGERS_QUEUE,
    )
    await deployment.start_incident(event)
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _start_twice(deployment: Deployment, result: KindResult, group: str) -> None:
    """Start an incident again under its id once it has ended, with limits that allow all."""
    event = _build_signed(deployment, CRITICAL, group)
    await deployment.start_incident(event)
    result.add_report(await await_end(deployment, event), is_loss=False)
    digest = compute_digest(LAVISH)
    again = deployment.build_input(event).model_copy(
        update={"limits": LAVISH, "policy_hash": digest}
    )
    await start_by_hand(deployment, again)
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _terminate(deployment: Deployment, result: KindResult, group: str) -> None:
    """Terminate an incident while it waits, and start it again with limits that allow all."""
    event = _build_signed(deployment, CRITICAL, group)
    await deployment.start_incident(event)
    await await_question(deployment, event)
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    with suppress(RPCError):  # it has ended meanwhile
        await handle.terminate("mallory")
    again = deployment.build_input(event).model_copy(
        update={"limits": LAVISH, "policy_hash": compute_digest(LAVISH)}
    )
    await start_by_hand(deployment, again)
    result.add_report(await await_end(deployment, event), is_loss=False)


HAND_STARTED: Final[Mapping[str, Attack]] = {
    "own limits": use_own_limits,
    "own limits under the true hash": _use_own_limits_under_true_hash,
    "own specification": use_own_spec,
    "as of the past": _use_past,
    "as of the year 2999": _use_future,
    "claimed publisher": claim_publisher,
    "own name as the local user's": _name_oneself,
    "flood of answers": _flood,
    "squatted remediation": _squat_remediation,
    "squatted deliberation": _squat_deliberation,
    "started again after its end": _start_twice,
    "terminated and started again": _terminate,
}
"""Incidents of attacked models that must change nothing."""


async def attack_by_hand(
    deployment: Deployment, *, each: int, group: str = "attacked", only: str | None = None
) -> AsyncIterator[KindResult]:
    """Run every kind of hand-started incident."""
    for name, attack in HAND_STARTED.items():
        if only in (None, name):
            result = KindResult("hostile clients", name)
            alone = attack is _squat_remediation
            count = max(1, each // 4) if alone else each
            jobs = [partial(attack, deployment, result, group) for _ in range(count)]
            at_once = 1 if alone else 16
            yield await run_batch(result, deployment, jobs, at_once=at_once)


async def call_as_stranger(
    deployment: Deployment, calls: list[StrangerCall], *, kind: str = "Stranger", name: str = ""
) -> list[str]:
    """Have a stranger's workflow call activities; return what each answered, or its error."""
    answers: list[str] = await deployment.client.execute_workflow(
        kind,
        args=[[each.model_dump(mode="json") for each in calls], 0.0],
        id=name or f"stranger/{uuid4().hex}",
        task_queue=STRANGERS_QUEUE,
        result_type=list[str],
    )
    return answers
