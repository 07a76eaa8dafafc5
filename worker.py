"""Front door: builds every real collaborator, and runs the worker until it is asked to stop.

One process serves all three task queues by default. `--queues` splits them, so that only the
workers of `trimtab-actions` need write access to the model registry.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated

import structlog
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Worker

from activities.authorisation import AuthorisationActivities
from activities.registration import (
    Activity,
    list_action_activities,
    list_agent_activities,
    list_main_activities,
)
from agents.models import register_models
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.adapters.grants import JwtGuard, JwtMint, load_private_key, load_public_key
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.adapters.notifier import CombinedNotifier, FileNotifier, LogNotifier
from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.contracts import names
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.models import load_limits
from trimtab.runtime.paths import shipped_knowledge
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.telemetry import start_tracing
from trimtab.runtime.temporal import connect_temporal
from workflows.deliberation import DeliberationWorkflow
from workflows.registration import list_workflows

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Duties:
    """The workflows and activities of one task queue's worker."""

    workflows: list[type]
    activities: list[Activity]


class Collaborators:
    """The real things behind the ports, built once per process."""

    def __init__(self, settings: Settings) -> None:
        home = settings.home.absolute()
        keys = home / "keys"
        self._grants = settings.grants
        self._private_key_file = settings.grants.private_key or keys / "grant.pem"
        self._public_key_file = settings.grants.public_key or keys / "grant.pub.pem"
        self._replay = settings.backtest.replay
        self._registry = MlflowRegistry(settings=settings)
        self._knowledge = ChromaKnowledgeBase(open_chroma(settings))
        self._notifier = CombinedNotifier(
            LogNotifier(),
            FileNotifier(home / "approvals"),
            sender=NoticeSender(lambda: load_limits().notify),
        )
        self._audit = JsonlAuditLog(
            settings.audit.directory or home / "audit",
            key=load_audit_key(settings.audit.key or keys / "audit.key"),
        )
        self.pipelines = PipelineProcesses(run_pipeline, max_workers=settings.worker.pipelines)

    def open(self) -> None:
        """Connect to everything once, so that the first incident does not have to wait for it.

        The knowledge base is brought up to date with the folder `knowledge`.
        """
        self._knowledge.index(shipped_knowledge())
        self._knowledge.search("drift")
        self._registry.list_recorded_tips()

    def build_duties(self, queue: str) -> Duties:
        """Return what a worker of that queue runs.

        Only the main queue reads the private key: workers of the other queues need not have it.
        """
        if queue == names.AGENTS_QUEUE:
            return self._build_agent_duties()
        if queue == names.ACTIONS_QUEUE:
            return self._build_action_duties()
        return self._build_main_duties()

    def _build_main_duties(self) -> Duties:
        authorisation = AuthorisationActivities(
            mint=JwtMint(key=self._read_private_key()),
            lifetime=self._grants.lifetime,
            replay=self._replay,
        )
        activities = list_main_activities(
            registry=self._registry,
            pipelines=self.pipelines,
            knowledge=self._knowledge,
            notifier=self._notifier,
            log=self._audit,
            authorisation=authorisation,
        )
        return Duties(list_workflows(deliberation=DeliberationWorkflow), activities)

    def _build_agent_duties(self) -> Duties:
        return Duties(
            [], list_agent_activities(pipelines=self.pipelines, knowledge=self._knowledge)
        )

    def _build_action_duties(self) -> Duties:
        guard = JwtGuard(key=load_public_key(self._public_key_file))
        activities = list_action_activities(
            registry=self._registry, pipelines=self.pipelines, guard=guard
        )
        return Duties([], activities)

    def _read_private_key(self) -> Ed25519PrivateKey:
        key = load_private_key(self._private_key_file)
        load_public_key(self._public_key_file, private=key)
        return key


async def run_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Serve the queues until SIGTERM or Ctrl-C, then give running activities `worker.grace`."""
    register_models(ollama_host=settings.ollama_host, timeout=settings.analyst.timeout)
    collaborators = Collaborators(settings)
    collaborators.pipelines.warm_up()
    await asyncio.to_thread(collaborators.open)
    async with AsyncExitStack() as stack:
        stack.callback(collaborators.pipelines.close)
        plugins = stack.enter_context(start_tracing(settings, service="trimtab-worker"))
        client = await connect_temporal(settings, plugins=[GoogleAdkPlugin(), *plugins])
        executor = stack.enter_context(ThreadPoolExecutor(settings.worker.activities))
        for queue in queues:
            duties = collaborators.build_duties(queue)
            worker = _build_worker(client, queue, duties, settings, executor)
            await stack.enter_async_context(worker)
        _log.info("worker_started", queues=list(queues), namespace=client.namespace)
        await _wait_for_stop_signal()
        _log.info("worker_stopping")


def _build_worker(
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


async def _wait_for_stop_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def main(
    queues: Annotated[str, typer.Option(help="Comma-separated task queues to serve.")] = ",".join(
        names.QUEUES
    ),
) -> None:
    """Run Trimtab's worker."""
    # Models are loaded only where they are scored. Clients retry nothing, because Temporal does.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    try:
        settings = load_settings()
        configure_logging(settings)
        asyncio.run(run_worker(settings, _parse_queues(queues)))
    except BadConfigurationError as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        raise SystemExit(2) from None


def _parse_queues(queues: str) -> tuple[str, ...]:
    """Return the queues that are named; raise `BadConfigurationError` for an unknown one."""
    wanted = tuple(name.strip() for name in queues.split(",") if name.strip())
    faults = [
        f"--queues: {name!r} is not a queue of Trimtab; use one of {', '.join(names.QUEUES)}"
        for name in wanted
        if name not in names.QUEUES
    ]
    if faults or not wanted:
        raise BadConfigurationError(faults or ["--queues: name at least one queue"])
    return wanted


if __name__ == "__main__":
    typer.run(main)
