"""Front door: builds every real collaborator and runs the worker until it is told to stop.

One process serves all three task queues by default; `--queues` splits them, so that only the
workers of `trimtab-actions` need write access to the model registry.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any

import structlog
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Worker

from activities.approval import ApprovalActivities
from activities.audit import AuditActivities
from activities.authorisation import AuthorisationActivities
from activities.decision import check_policy
from activities.evidence import EvidenceActivities
from activities.incident import IncidentActivities
from activities.inspection import InspectionActivities
from activities.monitoring import MonitoringActivities
from activities.remediation import RemediationActivities
from agents.models import register_models
from trimtab.adapters.audit.audit_log import JsonlAuditLog, audit_key
from trimtab.adapters.grants import JwtGuard, JwtMint, private_key, public_key
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase, open_chroma
from trimtab.adapters.notifier import FileNotifier, LogNotifier, Notifiers
from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.contracts import names
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.paths import shipped_knowledge
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.telemetry import telemetry
from trimtab.runtime.temporal import connect
from workflows.deliberation import DeliberationWorkflow
from workflows.drift_response import DriftResponseWorkflow
from workflows.monitoring import MonitoringWorkflow
from workflows.remediation import RemediationWorkflow

log = structlog.get_logger(__name__)


@dataclass
class Duties:
    """What one task queue's worker runs."""

    workflows: list[type] = field(default_factory=list)
    activities: list[Callable[..., Any]] = field(default_factory=list)


class Collaborators:
    """The real things behind the ports, built once a process."""

    def __init__(self, settings: Settings) -> None:
        keys = settings.home.absolute() / "keys"
        grants, audit = settings.grants, settings.audit
        self._private = grants.private_key or keys / "grant.pem"
        self._public = grants.public_key or keys / "grant.pub.pem"
        self._lifetime = grants.lifetime
        self._replay = settings.backtest.replay
        self._registry = MlflowRegistry(settings=settings)
        self._knowledge = ChromaKnowledgeBase(open_chroma(settings))
        self._audit = JsonlAuditLog(
            audit.directory or settings.home.absolute() / "audit",
            key=audit_key(audit.key or keys / "audit.key"),
        )
        self._notifier = Notifiers(
            LogNotifier(), FileNotifier(settings.home.absolute() / "approvals")
        )
        self.pipelines = PipelineProcesses(run_pipeline, max_workers=settings.worker.pipelines)

    def open(self) -> None:
        """Reach everything once, so that the first incident need not wait for it.

        The knowledge base is brought up to date with the folder `knowledge`.
        """
        self._knowledge.index(shipped_knowledge())
        self._knowledge.search("drift")
        self._registry.recorded_tips()

    def _private_key(self) -> Ed25519PrivateKey:
        key = private_key(self._private)
        public_key(self._public, private=key)
        return key

    def duties(self, queue: str) -> Duties:
        """What a worker of that queue runs."""
        if queue == names.MAIN_QUEUE:
            return self._main()
        if queue == names.AGENTS_QUEUE:
            return self._agents()
        return self._actions()

    def _main(self) -> Duties:
        evidence = EvidenceActivities(
            registry=self._registry, pipelines=self.pipelines, knowledge=self._knowledge
        )
        incidents = IncidentActivities(registry=self._registry, knowledge=self._knowledge)
        audit = AuditActivities(log=self._audit)
        authorisation = AuthorisationActivities(
            mint=JwtMint(key=self._private_key()), lifetime=self._lifetime, replay=self._replay
        )
        return Duties(
            workflows=[
                DriftResponseWorkflow,
                DeliberationWorkflow,
                RemediationWorkflow,
                MonitoringWorkflow,
            ],
            activities=[
                evidence.read_registry,
                evidence.measure_versions,
                evidence.recall_similar,
                check_policy,
                authorisation.authorise,
                ApprovalActivities(notifier=self._notifier).notify_person,
                audit.record,
                audit.find_tip,
                incidents.remember_incident,
                MonitoringActivities(pipelines=self.pipelines).judge_window,
            ],
        )

    def _agents(self) -> Duties:
        """The plugin adds the activity that calls a language model."""
        inspection = InspectionActivities(pipelines=self.pipelines, knowledge=self._knowledge)
        return Duties(
            activities=[
                inspection.inspect_feature,
                inspection.inspect_segment,
                inspection.read_document,
            ]
        )

    def _actions(self) -> Duties:
        guard = JwtGuard(key=public_key(self._public))
        remediation = RemediationActivities(
            registry=self._registry, pipelines=self.pipelines, guard=guard
        )
        return Duties(
            activities=[
                remediation.retrain_challenger,
                remediation.promote_challenger,
                remediation.roll_back_champion,
                remediation.verify,
                remediation.undo,
            ]
        )


async def serve(settings: Settings, queues: Sequence[str]) -> None:
    """Serve the queues until SIGTERM or Ctrl-C; what is under way has `worker.grace` to finish."""
    register_models(ollama_host=settings.ollama_host, timeout=settings.analyst.timeout)
    collaborators = Collaborators(settings)
    collaborators.pipelines.warm()
    await asyncio.to_thread(collaborators.open)
    async with AsyncExitStack() as stack:
        stack.callback(collaborators.pipelines.close)
        plugins = stack.enter_context(telemetry(settings, service="trimtab-worker"))
        client = await connect(settings, plugins=[GoogleAdkPlugin(), *plugins])
        executor = stack.enter_context(ThreadPoolExecutor(settings.worker.activities))
        for queue in queues:
            duties = collaborators.duties(queue)
            await stack.enter_async_context(_worker(client, queue, duties, settings, executor))
        log.info("worker_started", queues=list(queues), namespace=client.namespace)
        await _told_to_stop()
        log.info("worker_stopping")


def _worker(
    client: Client, queue: str, duties: Duties, settings: Settings, executor: ThreadPoolExecutor
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=duties.workflows,
        activities=duties.activities,
        activity_executor=executor,
        max_concurrent_activities=settings.worker.activities,
        graceful_shutdown_timeout=settings.worker.grace,
    )


async def _told_to_stop() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def main(
    queues: Annotated[str, typer.Option(help="Comma-separated task queues to serve.")] = ",".join(
        names.QUEUES
    ),
) -> None:
    """Run Trimtab's worker."""
    # Models are loaded only where they are scored, and clients retry nothing: Temporal does.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    try:
        settings = load_settings()
        configure_logging(settings)
        wanted = _known(queues)
        asyncio.run(serve(settings, wanted))
    except BadConfigurationError as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        raise SystemExit(2) from None


def _known(queues: str) -> tuple[str, ...]:
    wanted = tuple(name.strip() for name in queues.split(",") if name.strip())
    faults = [
        f"--queues: {name!r} is no queue of Trimtab; there are {', '.join(names.QUEUES)}"
        for name in wanted
        if name not in names.QUEUES
    ]
    if faults or not wanted:
        raise BadConfigurationError(faults or ["--queues: name at least one queue"])
    return wanted


if __name__ == "__main__":
    typer.run(main)
