"""Everything an incident touches, small and in memory, behind the real activities."""

import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from activities.approval import ApprovalActivities
from activities.audit import AuditActivities
from activities.authorisation import AuthorisationActivities
from activities.decision import check_policy
from activities.evidence import EvidenceActivities
from activities.incident import IncidentActivities
from activities.remediation import RemediationActivities
from tests.fakes import FakeKnowledge, FakeNotifier, FakePipelines, FakeRegistry
from tests.workflows.golden import keep, recording
from tests.workflows.scripted import ScriptedDeliberation
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.contracts import names
from trimtab.contracts.approval import HumanDecision
from trimtab.contracts.evidence import Document, DocumentKind
from trimtab.contracts.incident import IncidentInput, IncidentReport
from trimtab.contracts.names import build_drift_response_id
from workflows.drift_response import DriftResponseWorkflow
from workflows.remediation import RemediationWorkflow

BETTER = {
    "recent": {"1": 0.78},
    "gate": {"1": 0.78, "2": 0.9},
    "verification": {"1": 0.77, "2": 0.91},
}
ENDINGS = (
    "executed",
    "monitored",
    "approved",
    "rejected",
    "expired",
    "cancelled",
    "deliberation_failed",
    "verification_failed_and_undone",
)
"""Tests whose histories are kept."""
HISTORIES = Path(__file__).parent / "histories"

Handle = WorkflowHandle[Any, IncidentReport]
Play = Callable[[Handle], Awaitable[None]]


def a_case(number: int = 1) -> Document:
    return Document(
        id=f"case-{number}",
        kind=DocumentKind.INCIDENT,
        title="The target moved before",
        text="Retraining helped.",
        similarity=0.7,
        cause="label_shift",
        action="retrain",
        succeeded=True,
    )


class World:
    """Fakes behind real activities, and a worker for every queue."""

    def __init__(
        self, client: Client, folder: Path, *, metrics: Mapping[str, Mapping[str, float]] = BETTER
    ) -> None:
        key = Ed25519PrivateKey.generate()
        self.client = client
        self.registry = FakeRegistry()
        self.pipelines = FakePipelines(self.registry, metrics)
        self.knowledge = FakeKnowledge(a_case(1), a_case(2), a_case(3))
        self.notifier = FakeNotifier()
        self.audit = JsonlAuditLog(folder / "audit", key=b"k" * 32)
        self._mint = JwtMint(key=key)
        self._guard = JwtGuard(key=key.public_key())

    async def respond(
        self,
        incident: IncidentInput,
        *,
        play: Play | None = None,
        early: HumanDecision | None = None,
    ) -> IncidentReport:
        """Run one incident to its end; `play` acts on it meanwhile, `early` is there before it."""
        async with AsyncExitStack() as stack:
            for worker in self._workers():
                await stack.enter_async_context(worker)
            handle: Handle = await self.client.start_workflow(
                DriftResponseWorkflow.run,
                incident,
                id=build_drift_response_id(incident.event.subject, incident.event.id),
                task_queue=names.MAIN_QUEUE,
                start_signal=None if early is None else "human_decision",
                start_signal_args=[] if early is None else [early],
            )
            if play is not None:
                await play(handle)
            report = await handle.result()
            await self._replay(handle, report)
        return report

    def _workers(self) -> list[Worker]:
        evidence = EvidenceActivities(
            registry=self.registry, pipelines=self.pipelines, knowledge=self.knowledge
        )
        audit = AuditActivities(log=self.audit)
        remediation = RemediationActivities(
            registry=self.registry, pipelines=self.pipelines, guard=self._guard
        )
        authorisation = AuthorisationActivities(mint=self._mint, lifetime=timedelta(hours=1))
        incidents = IncidentActivities(registry=self.registry, knowledge=self.knowledge)
        main = [
            evidence.read_registry,
            evidence.measure_versions,
            evidence.recall_similar,
            audit.record,
            audit.find_tip,
            authorisation.authorise,
            ApprovalActivities(notifier=self.notifier).notify_person,
            incidents.remember_incident,
            check_policy,
        ]
        actions = [
            remediation.retrain_challenger,
            remediation.promote_challenger,
            remediation.roll_back_champion,
            remediation.verify,
            remediation.undo,
        ]
        workflows = [DriftResponseWorkflow, ScriptedDeliberation, RemediationWorkflow]
        return [
            self._worker(names.MAIN_QUEUE, activities=main, workflows=workflows),
            self._worker(names.ACTIONS_QUEUE, activities=actions, workflows=[]),
        ]

    def _worker(self, queue: str, *, activities: Any, workflows: Any) -> Worker:
        return Worker(
            self.client,
            task_queue=queue,
            workflows=workflows,
            activities=activities,
            activity_executor=ThreadPoolExecutor(8),
        )

    async def _replay(self, handle: Handle, report: IncidentReport) -> None:
        """Hold that what ran is deterministic.

        A worker without a cache would replay at every task, but it cancels the audit's local
        activities and runs them again.
        """
        parts = {"incident": handle.id}
        if report.outcome is not None:
            parts["remediation"] = f"remediation/{report.model}"
        replayer = Replayer(
            workflows=[DriftResponseWorkflow, RemediationWorkflow],
            data_converter=pydantic_data_converter,
        )
        for part, one in parts.items():
            history = await self.client.get_workflow_handle(one).fetch_history()
            await replayer.replay_workflow(history)
            _keep(history, part)


def _keep(history: WorkflowHistory, part: str) -> None:
    """Record a golden history anew: TRIMTAB_RECORD_HISTORIES=1 pytest tests/workflows."""
    name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0].removeprefix("test_")
    if recording() and name in ENDINGS:
        keep(history, HISTORIES / f"{name}.{part}.json")
