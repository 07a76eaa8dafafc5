"""Attacks by a second worker that takes tasks from our queues and answers them falsely."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from attacked_deployment import Deployment
from attacked_models import name_model
from hostile_events import borrow_figures
from incident_batches import AT_ONCE, KindResult, await_end, run_batch
from strangers import steal_tasks, stolen

from trimtab.contracts.drift import DriftEvent

_REFRESH_SECONDS: Final = 3.0
"""Time after which bridge and worker have read a changed policy."""


async def attack_by_workers(
    deployment: Deployment, *, each: int, group: str = "attacked"
) -> AsyncIterator[KindResult]:
    """Run signed events while strangers' workers take some of their tasks."""
    few = max(4, each // 4)
    yield await invent_measurements(deployment, each=each, group=group)
    yield await deliberate_falsely(deployment, "fine", each=each, group=group)
    yield await deliberate_falsely(deployment, "release", each=few, group=group)
    yield await deliberate_for_nothing(deployment, each=each, group=group)


async def invent_measurements(
    deployment: Deployment, *, each: int, group: str = "attacked"
) -> KindResult:
    """Measure a loss that is none: event, evidence and plan agree with each other."""
    result = KindResult("hostile clients", "invented measurements")
    events = [borrow_figures(deployment, group, "measured") for _ in range(each)]
    async with deployment.without_free_slots(), steal_tasks(deployment.client):
        return await _run_all(deployment, result, events)


async def deliberate_falsely(
    deployment: Deployment, situation: str, *, each: int, group: str = "attacked"
) -> KindResult:
    """Answer for the agents, sure of everything, with evidence that nobody measured.

    Where the agents answer for themselves, they may roll a bad release back to the good version.
    """
    result = KindResult("hostile clients", f"false deliberation, {situation}")
    model = name_model(situation, group)
    events = [
        deployment.signer.sign(deployment.events.build(model, "deliberated")) for _ in range(each)
    ]
    async with steal_tasks(deployment.client, deliberations=True):
        if situation != "release":
            return await _run_all(deployment, result, events)
        return await _run_all(deployment, result, events, resetting=group)


async def deliberate_for_nothing(
    deployment: Deployment, *, each: int, group: str = "attacked"
) -> KindResult:
    """Say that an action costs nothing, where the policy allows less than it costs."""
    result = KindResult("hostile clients", "false deliberation, cost of 0")
    model = name_model("loss", group)
    deployment.set_policy(cost_at_most=1)
    await asyncio.sleep(_REFRESH_SECONDS)
    try:
        events = [
            deployment.signer.sign(deployment.events.build(model, "cheap")) for _ in range(each)
        ]
        async with steal_tasks(deployment.client, deliberations=True):
            return await _run_all(deployment, result, events)
    finally:
        deployment.set_policy()
        await asyncio.sleep(_REFRESH_SECONDS)


async def _run_all(
    deployment: Deployment,
    result: KindResult,
    events: list[DriftEvent],
    *,
    resetting: str | None = None,
) -> KindResult:
    """Run the incidents; one by one if each needs the group's champions as they were."""

    async def run(event: DriftEvent) -> None:
        if resetting is not None:
            await deployment.reset_champions(resetting)
            deployment.oracle.allow_champion(event.subject, "1")
        await deployment.start_incident(event)
        result.add_report(await await_end(deployment, event), is_loss=False)

    jobs = [partial(run, event) for event in events]
    at_once = AT_ONCE if resetting is None else 1
    before = stolen.total()
    await run_batch(result, deployment, jobs, at_once=at_once)
    result.stolen += stolen.total() - before
    if resetting is not None:
        await deployment.reset_champions(resetting)
    return result
