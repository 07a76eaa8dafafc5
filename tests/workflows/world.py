"""Everything an incident touches, small and in memory, behind the real activities."""

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from activities.authorisation import AuthorisationActivities
from activities.derivation import MintSources
from activities.reconciliation import ReconciliationActivities
from activities.registration import (
    Activity,
    MainPorts,
    list_action_activities,
    list_main_activities,
)
from activities.sweep import SweepActivities
from tests.fakes import (
    FakeArchive,
    FakeKnowledge,
    FakeNotifier,
    FakePipelines,
    FakePublishers,
    FakeRegistry,
)
from tests.workflows.golden import record_golden
from tests.workflows.scripted import ScriptedDeliberation
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_comparer import AuditLogComparer
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.adapters.ledger.audit_ledger import AuditLedger
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.contracts import names
from trimtab.contracts.approval import HumanDecision
from trimtab.contracts.evidence import Document, DocumentKind
from trimtab.contracts.incident import IncidentInput, IncidentReport
from workflows.drift_response import DriftResponseWorkflow
from workflows.registration import list_workflows
from workflows.remediation import RemediationWorkflow

BETTER: Final = {
    "recent": {"1": 0.78},
    "gate": {"1": 0.78, "2": 0.9},
    "verification": {"1": 0.77, "2": 0.91},
}
"""Metrics by slice and version; version 2 is the challenger."""
SECRET: Final = Fernet.generate_key()
GOLDEN: Final = (
    "executed",
    "monitored",
    "approved",
    "approved_by_two_people",
    "rejected",
    "expired",
    "cancelled",
    "deliberation_failed",
    "verification_failed_and_undone",
)
"""Ways in which an incident can go that have a golden history."""

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
        self.log_folder = folder / "audit"
        self.audit = JsonlAuditLog(self.log_folder, key=b"k" * 32)
        self.settle_after = timedelta(0)
        """Age of a chain's last line from which a sweep looks for its workflow."""
        self.worker_options: dict[str, Any] = {}
        """Further options of the workers."""
        self.archive = FakeArchive()
        self.publishers = FakePublishers()
        self.seal = HmacEvidenceSeal(audit_key=b"k" * 32)
        self.ledger = AuditLedger(self.log_folder, key=b"k" * 32)
        self._mint = JwtMint(key=key, secret=SECRET)
        self._guard = JwtGuard(key=key.public_key(), secret=SECRET)

    async def respond(
        self,
        incident: IncidentInput,
        *,
        play: Play | None = None,
        early: HumanDecision | None = None,
        golden: str | None = None,
        configured: bool = True,
    ) -> IncidentReport:
        """Run one incident to its end, and replay it.

        Its policy and specification are in force here, if they are `configured`.

        `play` acts on it meanwhile, `early` is there before it, and `golden` names the history to
        keep.
        """
        assert golden is None or golden in GOLDEN
        if configured:
            self.archive.put_in_force(incident.limits, incident.spec)
        async with AsyncExitStack() as stack:
            for worker in self._workers():
                await stack.enter_async_context(worker)
            handle: Handle = await self.client.start_workflow(
                DriftResponseWorkflow.run,
                incident,
                id=names.build_drift_response_id(incident.event.subject, incident.event.id),
                task_queue=names.MAIN_QUEUE,
                start_signal=None if early is None else "human_decision",
                start_signal_args=[] if early is None else [early],
            )
            if play is not None:
                await play(handle)
            report = await handle.result()
            await self._replay(handle, report, golden)
        return report

    def _workers(self) -> list[Worker]:
        sources = MintSources(
            registry=self.registry,
            log=self.audit,
            seal=self.seal,
            configuration=self.archive,
            ledger=self.ledger,
            publishers=self.publishers,
        )
        authorisation = AuthorisationActivities(
            sources, mint=self._mint, lifetime=timedelta(hours=1), replay=True
        )
        ports = MainPorts(
            registry=self.registry,
            pipelines=self.pipelines,
            knowledge=self.knowledge,
            notifier=self.notifier,
            log=self.audit,
            seal=self.seal,
            ledger=self.ledger,
        )
        incidents = TemporalIncidents(activity.client)
        sweep = SweepActivities(
            log=self.audit,
            incidents=incidents,
            registry=self.registry,
            notifier=self.notifier,
            settle_after=self.settle_after,
        )
        comparer = AuditLogComparer(self.log_folder, key=b"k" * 32, registry=None)
        return [
            self._worker(
                names.MAIN_QUEUE,
                workflows=list_workflows(deliberation=ScriptedDeliberation),
                activities=list_main_activities(
                    ports,
                    authorisation=authorisation,
                    sweep=sweep,
                    reconciliation=ReconciliationActivities(log=comparer, incidents=incidents),
                ),
            ),
            self._worker(
                names.ACTIONS_QUEUE,
                workflows=[],
                activities=list_action_activities(
                    registry=self.registry, pipelines=self.pipelines, guard=self._guard
                ),
            ),
        ]

    def _worker(self, queue: str, *, workflows: list[type], activities: list[Activity]) -> Worker:
        return Worker(
            self.client,
            task_queue=queue,
            workflows=workflows,
            activities=activities,
            activity_executor=ThreadPoolExecutor(8),
            **self.worker_options,
        )

    async def _replay(self, handle: Handle, report: IncidentReport, golden: str | None) -> None:
        """Hold that what ran is deterministic.

        A worker without a cache would replay at every task, but it cancels the audit's local
        activities and runs them again.
        """
        parts = {"incident": handle.id}
        if report.outcome is not None:
            parts["remediation"] = names.build_remediation_id(report.model)
        replayer = Replayer(
            workflows=[DriftResponseWorkflow, RemediationWorkflow],
            data_converter=pydantic_data_converter,
        )
        for part, one in parts.items():
            history = await self.client.get_workflow_handle(one).fetch_history()
            await replayer.replay_workflow(history)
            record_golden(history, golden and f"{golden}.{part}")
