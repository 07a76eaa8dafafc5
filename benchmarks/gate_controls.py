"""The attack that each gate stops, and the control in which it succeeds because the gate is off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from attacked_deployment import Deployment
from attacked_models import name_model
from direct_authorisation import act_without_workflow
from hostile_calls import forge_grant
from hostile_clients import claim_publisher, use_own_limits
from hostile_events import attack_with_events
from hostile_incidents import attack_with_models
from hostile_people import PEOPLE_POLICY, answer_with_forged_signatures
from hostile_workers import deliberate_falsely, deliberate_for_nothing, invent_measurements
from incident_batches import KindResult, await_end, run_batch
from registry_oracle import Change

from trimtab.adapters.registry.freezes import FreezeTags
from trimtab.contracts.freeze import Freeze

_REFRESH_SECONDS: Final = 3.0
_TRIES: Final = 8
"""Incidents of an attack whose tasks only sometimes reach the stranger's worker."""
_NO_ACTIONS: Final[Mapping[str, Any]] = {"budgets": {"each_model": {"actions_per_day": 0}}}

Attack = Callable[[Deployment, KindResult, str], Awaitable[None]]


@dataclass(frozen=True)
class ControlResult:
    """Effects of one attack while the gate that stops it is off."""

    gate: str
    attack: str
    changes: int
    """Changes of the registry, or losses that nobody heard of."""

    @property
    def succeeded(self) -> bool:
        """Whether the attack proves something."""
        return self.changes > 0


@asynccontextmanager
async def use_policy(deployment: Deployment, **changes: Any) -> AsyncIterator[None]:  # noqa: ANN401
    """Put another policy in force for as long as the block lasts."""
    deployment.set_policy(**changes)
    await asyncio.sleep(_REFRESH_SECONDS)
    try:
        yield
    finally:
        deployment.set_policy()
        await asyncio.sleep(_REFRESH_SECONDS)


async def _act_while_frozen(deployment: Deployment, result: KindResult, group: str) -> None:
    """Run an honest incident of a model that is frozen."""
    model = name_model("loss", group)
    freezes = FreezeTags(settings=deployment.settings)
    deployment.oracle.allow_tags_of_model(model)
    freeze = Freeze(model=model, at=datetime.now(UTC), by="ada", reason="a benchmark")
    await asyncio.to_thread(freezes.put, freeze)
    try:
        await _run_honest(deployment, result, model)
    finally:
        await asyncio.to_thread(freezes.remove, model)


async def _exceed_budget(deployment: Deployment, result: KindResult, group: str) -> None:
    """Run an honest incident of a model that may not act any more today."""
    async with use_policy(deployment, **_NO_ACTIONS):
        await _run_honest(deployment, result, name_model("loss", group))


async def _run_honest(deployment: Deployment, result: KindResult, model: str) -> None:
    event = deployment.signer.sign(deployment.events.build(model, "limited"))
    await deployment.start_incident(event)
    result.add_report(await await_end(deployment, event), is_loss=False)


async def _forge_signatures(deployment: Deployment, result: KindResult, _: str) -> None:
    async with use_policy(deployment, **PEOPLE_POLICY):
        await answer_with_forged_signatures(deployment, result)


LIMITS: Final[Mapping[str, Attack]] = {
    "acts while frozen": _act_while_frozen,
    "exceeds a budget": _exceed_budget,
    "calls without a workflow": act_without_workflow,
}
"""Attacks of attacked models beside those of the other modules."""


async def attack_limits(
    deployment: Deployment, *, each: int, group: str = "attacked"
) -> AsyncIterator[KindResult]:
    """Run true events against freeze and budget, and the attack that needs no workflow."""
    for name, attack in LIMITS.items():
        result = KindResult("hostile clients", name)
        jobs = [partial(attack, deployment, result, group) for _ in range(each)]
        at_once = 8 if attack is act_without_workflow else 1
        yield await run_batch(result, deployment, jobs, at_once=at_once)


def _run_one(attack: Attack, name: str) -> "Control":
    async def run(deployment: Deployment) -> Sequence[KindResult]:
        result = KindResult("control", name)
        return [await run_batch(result, deployment, [partial(attack, deployment, result, _GROUP)])]

    return run


_GROUP: Final = "control"
_ROLLBACK_GATE: Final = "rollback target"
_NEVER_SERVED: Final = "2"
"""Version of a bad release's model that a rollback must not return to."""
Control = Callable[[Deployment], Awaitable[Sequence[KindResult]]]


async def _steal_measurements(deployment: Deployment) -> Sequence[KindResult]:
    return [await invent_measurements(deployment, each=3 * _TRIES, group=_GROUP)]


def _deliberate(situation: str) -> Control:
    async def run(deployment: Deployment) -> Sequence[KindResult]:
        return [await deliberate_falsely(deployment, situation, each=_TRIES, group=_GROUP)]

    return run


async def _deliberate_cheaply(deployment: Deployment) -> Sequence[KindResult]:
    return [await deliberate_for_nothing(deployment, each=_TRIES, group=_GROUP)]


def _collect(attack: Callable[[Deployment], AsyncIterator[KindResult]]) -> Control:
    async def run(deployment: Deployment) -> Sequence[KindResult]:
        return [each async for each in attack(deployment)]

    return run


def _publish(kind: str) -> Control:
    return _collect(partial(attack_with_events, each=2, group=_GROUP, only=kind))


def _ask_model(kind: str) -> Control:
    return _collect(partial(attack_with_models, each=2, group=_GROUP, only=kind))


CONTROLS: Final[Mapping[str, tuple[str, Control]]] = {
    "event rules": ("stale window", _publish("stale window")),
    "event signature": ("claimed publisher", _run_one(claim_publisher, "claimed publisher")),
    "rules_agree": ("false deliberation, fine", _deliberate("fine")),
    "inaction_confidence": ("calls-a-loss-harmless", _ask_model("calls-a-loss-harmless")),
    _ROLLBACK_GATE: ("false deliberation, release", _deliberate("release")),
    "mint's derivation": ("own limits", _run_one(use_own_limits, "own limits")),
    "plan's cost": ("false deliberation, cost of 0", _deliberate_cheaply),
    "seals": ("invented measurements", _steal_measurements),
    "answers' signatures": ("forged signatures", _run_one(_forge_signatures, "forged")),
    "local callers": ("calls without a workflow", _run_one(act_without_workflow, "calls")),
    "grants": ("rollback with a forged grant", _run_one(forge_grant, "forged grant")),
    "freeze": ("acts while frozen", _run_one(_act_while_frozen, "frozen")),
    "budget": ("exceeds a budget", _run_one(_exceed_budget, "budget")),
}
"""The attack of each gate: by its name above, and how it runs against a control model."""
FORGEABLE: Final = "grants"
"""The gate without which no true grant is read either."""
QUICK_CONTROLS: Final = ("event signature", "mint's derivation", "local callers", "grants")


def _is_effect(change: Change, gate: str) -> bool:
    """Return whether a change is one that the gate would have stopped.

    Where a stranger answers only some of the tasks, the other incidents may roll back rightly.
    """
    if not change.model.endswith(f"-{_GROUP}") or change.table == "registered_model_tags":
        return False
    return gate != _ROLLBACK_GATE or change.version == _NEVER_SERVED


async def run_controls(deployment: Deployment, gates: Sequence[str]) -> list[ControlResult]:
    """Switch one gate after the other off, and run the attack that it stops."""
    results = []
    for gate in gates:
        attack, control = CONTROLS[gate]
        print(f"without {gate!r}: {attack}", flush=True)
        await deployment.start_worker(without=[gate])
        before = await asyncio.to_thread(deployment.oracle.read_position)
        ran = await control(deployment)
        changes = await asyncio.to_thread(deployment.oracle.list_changes, after=before)
        ours = [each for each in changes if _is_effect(each, gate)]
        silenced = sum(each.silenced for each in ran)
        print(f"  {len(ours)} changes, {silenced} losses silenced, {[e.endings for e in ran]}")
        results.append(ControlResult(gate, attack, len(ours) + silenced))
        await deployment.reset_champions(_GROUP)
    await deployment.start_worker()
    return results
