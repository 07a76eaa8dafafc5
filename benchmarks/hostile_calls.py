"""Attacks by whoever has Temporal access: activities called directly, with grants or without.

Grants are read from histories of honest incidents, as everybody with that access can.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from attacked_deployment import Deployment
from attacked_models import find_situation, list_models, name_model
from hostile_clients import call_as_stranger
from incident_batches import KindResult, await_end, run_batch
from strangers import StrangerCall
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.remediation import (
    Action,
    ActionOrder,
    GrantClaims,
    RemediationInput,
    Step,
    compute_effect_key,
)

_POLL_SECONDS: Final = 0.2
_SHOWN: Final = 70
"""Characters of a refusal that are shown."""
_GRANTED_SECONDS: Final = 60.0
_METHODS: Final = {
    Step.RETRAIN: "retrain_challenger",
    Step.PROMOTE: "promote_challenger",
    Step.ROLL_BACK: "roll_back_champion",
    Step.VERIFY: "verify",
    Step.UNDO: "undo",
}
"""The activity of each step."""
_FAR: Final = datetime(2999, 1, 1, tzinfo=UTC)

Attack = Callable[[Deployment, KindResult, str], Awaitable[None]]


def build_forged_order(deployment: Deployment, model: str, step: Step) -> ActionOrder:
    """Return an order whose grant says everything that it should, and is signed by nobody."""
    event = deployment.events.build(model, "forged")
    incident = deployment.build_input(event)
    rolls_back = step is Step.ROLL_BACK
    champion = str(find_situation(list_models()[model]).champion)
    action = Action.ROLL_BACK if rolls_back else Action.RETRAIN
    plan_hash = compute_digest(["forged", event.id])
    now = datetime.now(UTC)
    claims = GrantClaims(
        event_id=event.id,
        model=model,
        action=action,
        plan_hash=plan_hash,
        policy_hash=incident.policy_hash,
        champion_version=champion,
        target_version="1" if rolls_back else None,
        steps=tuple(Step),
        spec_hash=compute_digest(incident.spec),
        as_of=now,
        authority="policy:all_rules",
        issued_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return ActionOrder(
        spec=incident.spec,
        event_id=event.id,
        correlation_id=event.id,
        plan_hash=plan_hash,
        policy_hash=incident.policy_hash,
        action=action,
        champion_version=champion,
        challenger_version="1" if rolls_back else None,
        current=event.data.current,
        step=step.value,
        key=compute_effect_key(event.id, plan_hash, step),
        grant=claims.model_dump_json(),
    )


async def forge_grant(deployment: Deployment, result: KindResult, group: str) -> None:
    """Order a rollback to a fit version with a grant of one's own making."""
    model = name_model("release", group)
    order = build_forged_order(deployment, model, Step.ROLL_BACK)
    call = StrangerCall(
        activity=_METHODS[Step.ROLL_BACK],
        argument=order.model_dump(mode="json"),
        queue=names.ACTIONS_QUEUE,
    )
    _count(result, await call_as_stranger(deployment, [call]))


async def _forge_every_step(deployment: Deployment, result: KindResult, group: str) -> None:
    """Order every step under the name and id of the model's remediation."""
    model = name_model("loss", group)
    calls = [
        StrangerCall(
            activity=method,
            argument=build_forged_order(deployment, model, step).model_dump(mode="json"),
            queue=names.ACTIONS_QUEUE,
        )
        for step, method in _METHODS.items()
    ]
    _count(result, await call_as_stranger(deployment, calls, kind=names.REMEDIATION))


async def _record_invented_line(deployment: Deployment, result: KindResult, group: str) -> None:
    """Ask for an audit line under the incident's own name and id, and for a look at the log."""
    model = name_model("loss", group)
    event = deployment.signer.sign(deployment.events.build(model, "called"))
    entry = {
        "incident": event.id,
        "model": model,
        "correlation_id": event.id,
        "sequence": 0,
        "gate": "opened",
        "at": datetime.now(UTC).isoformat(),
        "actor": "trimtab",
        "detail": {"event_hash": compute_digest(event)},
    }
    calls = [
        StrangerCall(activity="record", argument={"entries": [entry], "tip": "0" * 64}),
        StrangerCall(activity="sweep_incidents"),
        StrangerCall(activity="reconcile_log"),
    ]
    own = names.build_drift_response_id(model, event.id)
    answers = await call_as_stranger(deployment, calls, kind=names.DRIFT_RESPONSE, name=own)
    _count(result, answers[:1])


async def _remember_far_action(deployment: Deployment, result: KindResult, group: str) -> None:
    """Have a closed incident remembered with an action in the year 2999."""
    event = deployment.signer.sign(deployment.events.build(name_model("fine", group), "remembered"))
    await deployment.start_incident(event)
    report = await await_end(deployment, event)
    result.add_report(report, is_loss=False)
    if not isinstance(report, IncidentReport):
        return
    false = report.model_copy(update={"acted_at": _FAR})
    call = StrangerCall(activity="remember_incident", argument=false.model_dump(mode="json"))
    _count(result, await call_as_stranger(deployment, [call]))


async def _judge_old_window(deployment: Deployment, result: KindResult, group: str) -> None:
    """Have our own detector judge, sign and publish a window that is long over."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end -= timedelta(days=14)
    order = {
        "model": name_model("release", group),
        "start": (end - timedelta(days=7)).isoformat(),
        "end": end.isoformat(),
        "as_of": end.isoformat(),
    }
    await call_as_stranger(deployment, [StrangerCall(activity="judge_window", argument=order)])
    result.attempts += 1
    result.endings["judged"] += 1


def _count(result: KindResult, answers: list[str]) -> None:
    for answer in answers:
        result.attempts += 1
        result.endings[answer[:_SHOWN] if answer.startswith("refused") else "answered"] += 1


async def _run_granted(deployment: Deployment, label: str) -> tuple[DriftEvent, ActionOrder]:
    """Start an honest incident that acts, and return the order that its history shows."""
    await deployment.reset_champions("honest")
    model = name_model("loss", "honest")
    event = deployment.signer.sign(deployment.events.build(model, label))
    await deployment.start_incident(event)
    return event, await _read_order(deployment, event)


async def _read_order(deployment: Deployment, event: DriftEvent) -> ActionOrder:
    """Wait for the event's remediation, and read its order, the grant included."""
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_remediation_id(event.subject)
    )
    converter = deployment.client.data_converter
    async with asyncio.timeout(_GRANTED_SECONDS):
        while True:
            try:
                first = (await handle.fetch_history()).events[0]
            except RPCError:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            payloads = first.workflow_execution_started_event_attributes.input.payloads
            (given,) = await converter.decode(payloads, [RemediationInput])
            order: ActionOrder = given.order
            if order.event_id == event.id:
                return order
            await asyncio.sleep(_POLL_SECONDS)


def _list_replays(order: ActionOrder, challenger: str | None, *steps: Step) -> list[StrangerCall]:
    return [
        StrangerCall(
            activity=_METHODS[step],
            argument=order.model_copy(
                update={
                    "step": step.value,
                    "key": compute_effect_key(order.event_id, order.plan_hash, step),
                    "challenger_version": challenger,
                }
            ).model_dump(mode="json"),
            queue=names.ACTIONS_QUEUE,
        )
        for step in steps
    ]


def _find_challenger(deployment: Deployment, order: ActionOrder) -> str | None:
    key = compute_effect_key(order.event_id, order.plan_hash, Step.RETRAIN)
    found = deployment.registry.find_version(order.spec.name, key=key)
    return found.version if found else None


async def _replay_after_end(deployment: Deployment, result: KindResult, _: str) -> None:
    """Repeat every step of an incident that ended well; then once more after a person's change."""
    model = name_model("loss", "honest")
    event, order = await _run_granted_allowed(deployment, model)
    result.add_report(await await_end(deployment, event), is_loss=False)
    challenger = await asyncio.to_thread(_find_challenger, deployment, order)
    steps = (Step.UNDO, Step.RETRAIN, Step.PROMOTE, Step.UNDO)
    replays = _list_replays(order, challenger, *steps)
    await call_as_stranger(deployment, replays)
    await deployment.reset_champions("honest")
    await call_as_stranger(deployment, _list_replays(order, challenger, Step.PROMOTE, Step.UNDO))
    result.attempts += len(replays) + 2


async def _run_granted_allowed(
    deployment: Deployment, model: str
) -> tuple[DriftEvent, ActionOrder]:
    await deployment.reset_champions("honest")
    event = deployment.signer.sign(deployment.events.build(model, "granted"))
    deployment.oracle.allow_retraining(model, event.id)
    await deployment.start_incident(event)
    return event, await _read_order(deployment, event)


async def _replay_after_cancellation(deployment: Deployment, result: KindResult, _: str) -> None:
    """Carry on by hand with the grant of an incident that a person cancelled."""
    event, order = await _run_granted(deployment, "cancelled")
    deployment.oracle.allow_version(event.subject, event.id)
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    await handle.cancel()
    report = await await_end(deployment, event)
    result.add_report(report, is_loss=False)
    if isinstance(report, IncidentReport) and report.ending.value != "cancelled":
        deployment.oracle.allow_retraining(event.subject, event.id)  # it was too late to cancel it
    await _carry_on(deployment, result, order)


async def _carry_on(deployment: Deployment, result: KindResult, order: ActionOrder) -> None:
    """Retrain and promote with a grant from a history."""
    await call_as_stranger(deployment, _list_replays(order, None, Step.RETRAIN))
    challenger = await asyncio.to_thread(_find_challenger, deployment, order)
    await call_as_stranger(deployment, _list_replays(order, challenger, Step.PROMOTE))
    result.attempts += 2


async def _remediate_after_cancellation(deployment: Deployment, result: KindResult, _: str) -> None:
    """Start the true remediation by hand, with the grant of an incident that was cancelled."""
    event, order = await _run_granted(deployment, "remediated")
    deployment.oracle.allow_version(event.subject, event.id)
    handle: WorkflowHandle[Any, Any] = deployment.client.get_workflow_handle(
        names.build_drift_response_id(event.subject, event.id)
    )
    await handle.cancel()
    report = await await_end(deployment, event)
    result.add_report(report, is_loss=False)
    if isinstance(report, IncidentReport) and report.ending.value != "cancelled":
        deployment.oracle.allow_retraining(event.subject, event.id)
    given = RemediationInput(order=order, audit_sequence=0, audit_tip="0" * 64)
    await deployment.client.execute_workflow(
        names.REMEDIATION,
        given,
        id=names.build_remediation_id(event.subject),
        task_queue=names.MAIN_QUEUE,
    )
    result.attempts += 1


DIRECT_CALLS: Final[Mapping[str, Attack]] = {
    "rollback with a forged grant": forge_grant,
    "every step with forged grants": _forge_every_step,
    "record": _record_invented_line,
    "remember an action of 2999": _remember_far_action,
    "judge an old window": _judge_old_window,
    "replay after a verified end": _replay_after_end,
    "carry on after a cancellation": _replay_after_cancellation,
    "true remediation after a cancellation": _remediate_after_cancellation,
}
"""Calls of activities that must change nothing, or nothing more than an honest incident did."""
_ONE_BY_ONE: Final = frozenset(
    {_replay_after_end, _replay_after_cancellation, _remediate_after_cancellation}
)


async def attack_by_calls(
    deployment: Deployment, *, each: int, group: str = "attacked", only: str | None = None
) -> AsyncIterator[KindResult]:
    """Make every kind of call; what needs an honest incident first is done less often."""
    for name, attack in DIRECT_CALLS.items():
        if only in (None, name):
            result = KindResult("hostile clients", name)
            alone = attack in _ONE_BY_ONE
            count = max(1, each // 4) if alone or attack is _judge_old_window else each
            jobs = [partial(attack, deployment, result, group) for _ in range(count)]
            yield await run_batch(result, deployment, jobs, at_once=1 if alone else 16)
