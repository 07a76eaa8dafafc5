"""What a deliberation touches: a real server, real agents, fakes behind the tools."""

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Worker

from activities.registration import list_agent_activities
from tests.agents.cases import some_documents
from tests.fakes import FakeKnowledge
from trimtab.contracts import names
from trimtab.contracts.deliberation import Deliberation, DeliberationInput
from trimtab.contracts.model import Distribution, SegmentMetric
from trimtab.contracts.ports import Unavailable
from workflows.deliberation import DeliberationWorkflow

Handle = WorkflowHandle[Any, Deliberation]


class FakeLooks:
    """The two pipelines behind the tools."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, JsonValue]]] = []
        self.broken = False

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        self.calls.append((pipeline, dict(params)))
        if self.broken:
            msg = "no process to be had"
            raise Unavailable(msg)
        feature = str(params["feature"])
        if pipeline == "segment":
            segment = SegmentMetric(
                feature=feature, segment=str(params["segment"]), metric="r2",
                reference=0.9, current=0.7, rows=120,
            )  # fmt: skip
            return {"segment": segment.model_dump(mode="json")}
        distribution = Distribution(
            feature=feature, bins=("[0, 100)", "[100, 200)"), reference=(0.6, 0.4),
            current=(0.2, 0.8),
        )  # fmt: skip
        return {"distribution": distribution.model_dump(mode="json")}


class Deliberations:
    """A worker for the agents, and what its tools were asked."""

    def __init__(self, client: Client) -> None:
        self._client = Client(
            client.service_client, namespace=client.namespace, plugins=[GoogleAdkPlugin()]
        )
        self.looks = FakeLooks()

    @asynccontextmanager
    async def started(self, start: DeliberationInput) -> AsyncIterator[Handle]:
        """A deliberation under way."""
        knowledge = FakeKnowledge(*some_documents())
        queue = f"deliberations-{uuid4().hex[:8]}"
        with ThreadPoolExecutor(4) as threads:
            agents = Worker(
                self._client,
                task_queue=names.AGENTS_QUEUE,
                activities=list_agent_activities(pipelines=self.looks, knowledge=knowledge),
                activity_executor=threads,
            )
            workflows = Worker(self._client, task_queue=queue, workflows=[DeliberationWorkflow])
            async with agents, workflows:
                yield await self._client.start_workflow(
                    "DeliberationWorkflow",
                    start,
                    id=f"deliberation/{uuid4().hex}",
                    task_queue=queue,
                    result_type=Deliberation,
                )

    async def concluded(self, start: DeliberationInput) -> Deliberation:
        """What came of it; raises `WorkflowFailureError` when nothing did."""
        async with self.started(start) as handle:
            return await handle.result()

    async def history(self, start: DeliberationInput) -> tuple[Deliberation, WorkflowHistory]:
        """What came of it, and what it left behind."""
        async with self.started(start) as handle:
            return await handle.result(), await handle.fetch_history()


def size(history: WorkflowHistory) -> tuple[int, int]:
    """Number of events, and their bytes."""
    return len(history.events), sum(event.ByteSize() for event in history.events)


def summaries(history: WorkflowHistory) -> list[str]:
    """What a person reads of each activity in the Web UI."""
    return [
        event.user_metadata.summary.data.decode().strip('"')
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
