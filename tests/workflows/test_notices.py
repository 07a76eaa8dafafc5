"""People are told of what a sweep has closed: by every target that wants it, once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.approval import ApprovalActivities
from tests.builders import NOW
from tests.fakes import FakeNotifier
from trimtab.contracts.notice import NoticeKind
from trimtab.contracts.settlement import (
    AbandonedIncident,
    Settlement,
    SettlementKind,
    SweepReport,
)
from workflows.sweep import SweepWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

ABANDONED = AbandonedIncident(
    incident="event-1",
    model="parking",
    last_gate="asked",
    last_at=NOW,
    settlement=Settlement(kind=SettlementKind.RESTORE, reason="version 2 was never verified"),
)


async def sweep(temporal: Client, notifier: FakeNotifier, *abandoned: AbandonedIncident) -> None:
    @activity.defn(name="sweep_incidents")
    async def sweep_incidents() -> SweepReport:
        return SweepReport(open_chains=len(abandoned), abandoned=abandoned)

    people = ApprovalActivities(notifier=notifier)
    queue = f"sweep-{uuid4().hex}"
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[SweepWorkflow],
        activities=[sweep_incidents, people.find_targets, people.send_notice],
        activity_executor=ThreadPoolExecutor(4),
    ):
        await temporal.execute_workflow(SweepWorkflow.run, id=queue, task_queue=queue)


async def test_people_are_told_of_an_abandoned_incident_also_if_one_target_fails(
    temporal: Client,
) -> None:
    notifier = FakeNotifier()
    notifier.targets, notifier.broken_targets = ("broken", "team"), {"broken"}

    await sweep(temporal, notifier, ABANDONED)

    (delivery,) = notifier.sent
    assert (delivery.target, delivery.notice.kind) == ("team", NoticeKind.STUCK)
    assert delivery.notice.incident == "event-1"
    assert "version 2 was never verified" in delivery.notice.text


async def test_a_sweep_that_finds_nothing_tells_nobody(temporal: Client) -> None:
    notifier = FakeNotifier()
    notifier.targets = ("team",)

    await sweep(temporal, notifier)

    assert notifier.sent == []
