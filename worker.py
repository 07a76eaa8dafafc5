"""Front door: builds every real collaborator, and runs the worker until it is asked to stop.

One process serves all three task queues by default. `--queues` splits them, so that only the
workers of `trimtab-actions` need write access to the model registry.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

import structlog
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from temporalio import activity
from temporalio.client import Client
from temporalio.google_adk import GoogleAdkPlugin
from temporalio.worker import Worker

from activities.authorisation import AuthorisationActivities
from activities.derivation import MintSources
from activities.reconciliation import ReconciliationActivities
from activities.registration import (
    Activity,
    MainPorts,
    list_action_activities,
    list_agent_activities,
    list_main_activities,
)
from activities.sweep import SweepActivities
from agents.missing_parts import skip_missing_parts
from agents.models import register_models
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_comparer import AuditLogComparer
from trimtab.adapters.configuration_archive import FileConfigurationArchive
from trimtab.adapters.event_keys import build_event_verifier
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.adapters.key_files import KeyFiles
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.adapters.knowledge.knowledge_writer import KnowledgeWriter
from trimtab.adapters.ledger.audit_ledger import AuditLedger
from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.adapters.notifier import CombinedNotifier, FileNotifier, LogNotifier
from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.contracts import names
from trimtab.contracts.ports import Refused
from trimtab.files.private_files import restrict_new_files
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.local_user import get_local_user
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.models import load_limits
from trimtab.runtime.paths import knowledge_folders
from trimtab.runtime.readiness import StoppedError, wait_until_ready
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import WorkerSettings
from trimtab.runtime.telemetry import start_tracing
from trimtab.runtime.temporal import connect_to_namespace
from workflows.deliberation import DeliberationWorkflow
from workflows.registration import (
    build_workflow_runner,
    extend_deadlock_timeout,
    list_workflows,
)

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Duties:
    """The workflows and activities of one task queue's worker."""

    queue: str
    workflows: list[type]
    activities: list[Activity]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys that the queues of a process need; None for the others."""

    mint: Ed25519PrivateKey | None
    """Signs grants: workers of the main queue."""
    audit: bytes | None
    """Chains the audit log: workers of the main queue."""
    guard: Ed25519PublicKey | None
    """Checks grants: workers of the queue of actions."""
    secret: bytes | None
    """Encrypts grants: workers of both."""


class Collaborators:
    """The real things behind the ports, built once per process: only what the queues need."""

    def __init__(self, settings: Settings) -> None:
        home = settings.home.absolute()
        self._settings = settings
        self._key_files = KeyFiles.locate(settings)
        self._registry = MlflowRegistry(settings=settings)
        self._notifier = CombinedNotifier(
            LogNotifier(),
            FileNotifier(home / "approvals"),
            sender=NoticeSender(lambda: load_limits().notify),
        )
        self._archive = FileConfigurationArchive.locate(home, settings=settings)
        self._knowledge: KnowledgeWriter | None = None
        self.pipelines = PipelineProcesses(run_pipeline, max_workers=settings.worker.pipelines)

    async def read_keys(self, queues: Sequence[str], *, stop: asyncio.Event) -> Keys:
        """Return the keys that these queues need, the mint's first: its public half may be made."""
        mint = audit = guard = secret = None
        files = self._key_files
        if names.MAIN_QUEUE in queues:
            mint = await _wait_for("the private grant key", files.load_private, stop=stop)
            audit = await _wait_for("the audit key", files.load_audit, stop=stop)
            secret = files.make_secret()
        if names.ACTIONS_QUEUE in queues:
            guard = await _wait_for("the public grant key", files.load_public, stop=stop)
            secret = await _wait_for("the grant secret", files.load_secret, stop=stop)
        return Keys(mint=mint, audit=audit, guard=guard, secret=secret)

    async def open(self, queues: Sequence[str], *, stop: asyncio.Event) -> None:
        """Wait for the stores that these queues need, so that the first incident need not."""
        if set(queues) - {names.AGENTS_QUEUE}:
            reach = partial(self._registry.last_action_at, "trimtab")
            await _wait_for("MLflow", reach, stop=stop)
        if set(queues) - {names.ACTIONS_QUEUE}:
            self._knowledge = await _wait_for("the knowledge base", self._open_knowledge, stop=stop)

    async def watch_configuration(self, stop: asyncio.Event) -> None:
        """Note which configuration is in force, until `stop` is set."""
        await self._archive.watch(stop)

    def close(self) -> None:
        """Finish what is being written."""
        self.pipelines.close()
        if self._knowledge is not None:
            self._knowledge.close()

    def build_duties(self, queue: str, keys: Keys) -> Duties:
        """Return what a worker of that queue runs."""
        if queue == names.AGENTS_QUEUE:
            return self._build_agent_duties()
        if queue == names.ACTIONS_QUEUE:
            return self._build_action_duties(keys)
        return self._build_main_duties(keys)

    def _build_main_duties(self, keys: Keys) -> Duties:
        audit_key = _require(keys.audit)
        log = JsonlAuditLog(self._key_files.audit_folder, key=audit_key)
        seal = HmacEvidenceSeal(audit_key=audit_key)
        ledger = AuditLedger(self._key_files.audit_folder, key=audit_key)
        self._archive.refresh()
        authorisation = AuthorisationActivities(
            MintSources(
                registry=self._registry,
                log=log,
                seal=seal,
                ledger=ledger,
                configuration=self._archive,
                publishers=build_event_verifier(self._settings),
            ),
            mint=JwtMint(key=_require(keys.mint), secret=_require(keys.secret)),
            lifetime=self._settings.grants.lifetime,
            replay=self._settings.backtest.replay,
            local_user=get_local_user(),
        )
        ports = MainPorts(
            registry=self._registry,
            pipelines=self.pipelines,
            knowledge=_require(self._knowledge),
            notifier=self._notifier,
            log=log,
            seal=seal,
            ledger=ledger,
        )
        incidents = TemporalIncidents(activity.client)
        sweep = SweepActivities(
            log=log, incidents=incidents, registry=self._registry, notifier=self._notifier
        )
        comparer = AuditLogComparer(
            self._key_files.audit_folder,
            key=audit_key,
            registry=self._registry,
            configuration=self._archive.folder,
        )
        activities = list_main_activities(
            ports,
            authorisation=authorisation,
            sweep=sweep,
            reconciliation=ReconciliationActivities(log=comparer, incidents=incidents),
        )
        workflows = list_workflows(deliberation=DeliberationWorkflow)
        return Duties(names.MAIN_QUEUE, workflows, activities)

    def _build_agent_duties(self) -> Duties:
        activities = list_agent_activities(
            pipelines=self.pipelines, knowledge=_require(self._knowledge)
        )
        return Duties(names.AGENTS_QUEUE, [], activities)

    def _build_action_duties(self, keys: Keys) -> Duties:
        guard = JwtGuard(key=_require(keys.guard), secret=_require(keys.secret))
        activities = list_action_activities(
            registry=self._registry, pipelines=self.pipelines, guard=guard
        )
        return Duties(names.ACTIONS_QUEUE, [], activities)

    def _open_knowledge(self) -> KnowledgeWriter:
        """Bring the knowledge base up to date with its folders, and load its encoder."""
        knowledge = ChromaKnowledgeBase(open_chroma(self._settings))
        for fault in knowledge.index_valid(*knowledge_folders()):
            _log.error("knowledge_document_skipped", reason=fault)
        knowledge.search("drift")
        return KnowledgeWriter(knowledge)


def _require(found: _T | None) -> _T:
    """Return what `read_keys` and `open` have got for the process's queues."""
    if found is None:
        msg = "a queue's duties were built before its keys were read and its stores opened"
        raise RuntimeError(msg)
    return found


async def _wait_for(thing: str, reach: Callable[[], _T], *, stop: asyncio.Event) -> _T:
    """Return what a blocking call returns, once it no longer raises `Unavailable`."""
    return await wait_until_ready(thing, partial(asyncio.to_thread, reach), stop=stop)


async def run_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Serve the queues until SIGTERM or Ctrl-C, then give running activities `worker.grace`.

    What is not up yet is waited for.
    """
    stop = _listen_for_stop_signals()
    register_models(ollama_host=settings.ollama_host, timeout=settings.analyst.timeout)
    skip_missing_parts()
    collaborators = Collaborators(settings)
    collaborators.pipelines.warm_up()
    async with AsyncExitStack() as stack:
        stack.callback(collaborators.close)
        plugins = stack.enter_context(start_tracing(settings, service="trimtab-worker"))
        connect = partial(connect_to_namespace, settings, plugins=[GoogleAdkPlugin(), *plugins])
        keys = await collaborators.read_keys(queues, stop=stop)
        client = await wait_until_ready("Temporal", connect, stop=stop)
        await collaborators.open(queues, stop=stop)
        activity_threads = stack.enter_context(ThreadPoolExecutor(settings.worker.activities))
        workflow_threads = stack.enter_context(ThreadPoolExecutor(settings.worker.workflow_threads))
        for queue in queues:
            worker = _build_worker(
                client,
                collaborators.build_duties(queue, keys),
                settings.worker,
                activity_threads=activity_threads,
                workflow_threads=workflow_threads,
            )
            await stack.enter_async_context(worker)
        _log.info("worker_started", queues=list(queues), namespace=client.namespace)
        if names.MAIN_QUEUE in queues:
            await collaborators.watch_configuration(stop)
        await stop.wait()
        _log.info("worker_stopping")


def _build_worker(
    client: Client,
    duties: Duties,
    settings: WorkerSettings,
    *,
    activity_threads: ThreadPoolExecutor,
    workflow_threads: ThreadPoolExecutor,
) -> Worker:
    worker = Worker(
        client,
        task_queue=duties.queue,
        workflows=duties.workflows,
        activities=duties.activities,
        activity_executor=activity_threads,
        workflow_task_executor=workflow_threads,
        workflow_runner=build_workflow_runner(),
        max_concurrent_activities=settings.activities,
        max_concurrent_workflow_tasks=settings.workflow_tasks,
        graceful_shutdown_timeout=settings.grace,
    )
    extend_deadlock_timeout(worker)
    return worker


def _listen_for_stop_signals() -> asyncio.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


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
        restrict_new_files()
        with suppress(StoppedError):
            asyncio.run(run_worker(settings, _parse_queues(queues)))
    except (BadConfigurationError, Refused) as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        raise SystemExit(2) from None
    except Exception:  # noqa: BLE001 - the last resort, and it is logged
        _log.exception("worker_failed")  # and not on stderr as it is: it may hold a password
        raise SystemExit(1) from None


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
