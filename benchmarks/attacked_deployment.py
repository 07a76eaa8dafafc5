"""Runs the deployment that is attacked: embedded stack, worker and bridge, as in production.

A worker may be started with a gate switched off, for the controls: only in that process, and never
by a switch of the product.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from attacked_models import (
    HonestEvents,
    find_situation,
    list_models,
    prepare_models,
    write_configuration,
    write_policy,
)
from redis.asyncio import Redis
from registry_oracle import RegistryOracle, watch_registry
from temporalio.client import Client

from trimtab.adapters.event_keys import EventSigner, load_event_signer
from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.bridge.workflow_starter import WorkflowStarter
from trimtab.contracts import names
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import IncidentInput
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.embedded.children import ChildProcess
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.temporal import connect_temporal, has_worker

POLICY: Final[Mapping[str, Any]] = {
    "cooldown": "PT0S",
    "confidence_above": 0.6,
    "approval_timeout": "PT2S",
    "reminder_after": "PT1H",
    "last_call_before": "PT0S",
}
"""Policy of the attacks: looser than the shipped one in confidence (0.8) and cooldown, which makes
them easier; and nobody answers, so that a question ends soon."""
_PREPARED_STREAM: Final = "prepared"
"""Stream of the events of the preparation, which nobody reads."""
_POLL_SECONDS: Final = 0.2
_GATELESS_WORKER: Final = Path(__file__).with_name("gateless_worker.py")


class DeploymentError(Exception):
    """A process of the deployment has ended; the message holds its last lines."""


class Deployment:
    """Everything that is attacked, and clients for it: an async context manager."""

    def __init__(self, folder: Path, *, ollama: str) -> None:
        self._folder = folder
        self._ollama = ollama
        self._stack = AsyncExitStack()
        self._worker: ChildProcess | None = None
        self._without: Sequence[str] = ()
        self._starter: ChildProcess | None = None
        self.settings: Settings
        self.embedded: EmbeddedStack
        self.client: Client
        self.redis: Redis
        self.registry: MlflowRegistry
        self.oracle: RegistryOracle
        self.signer: EventSigner
        self.events: HonestEvents
        self.pipelines: PipelineProcesses

    async def __aenter__(self) -> Self:
        write_configuration(self._folder, POLICY)
        os.chdir(self._folder)  # where conf/local is looked up
        settings = load_settings(ollama_host=self._ollama)
        self.embedded = await self._stack.enter_async_context(EmbeddedStack(settings))
        addresses = self.embedded.addresses
        environment = {**addresses.build_environment(), "TRIMTAB_REDIS__STREAM": _PREPARED_STREAM}
        temporal = settings.temporal.model_copy(update={"address": addresses.temporal})
        self.settings = settings.model_copy(
            update={
                "temporal": temporal,
                "mlflow_tracking_uri": addresses.tracking,
                "home": self._folder / ".trimtab",
            }
        )
        self.pipelines = PipelineProcesses(run_pipeline, max_workers=1, environment=environment)
        self._stack.push_async_callback(asyncio.to_thread, self.pipelines.close)
        self.events = await prepare_models(self.pipelines, self.settings, folder=self._folder)
        self.oracle = RegistryOracle(self.settings.home / "mlflow.db")
        await asyncio.to_thread(watch_registry, self.settings.home / "mlflow.db")
        self.registry = MlflowRegistry(settings=self.settings)
        self.signer = load_event_signer(self.settings)
        self.client = await connect_temporal(self.settings)
        self.redis = await self._stack.enter_async_context(Redis.from_url(addresses.redis))
        self._starter = self._start("starter", [str(SHIPPED / "starter.py")])
        await self.start_worker()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def set_policy(self, **changes: Any) -> None:  # noqa: ANN401 - the policy's own fields
        """Put another policy in force; bridge and mint see it within two seconds."""
        write_policy(self._folder, {**POLICY, **changes})

    async def start_worker(self, *, without: Sequence[str] = ()) -> None:
        """Start the worker, in place of the one that runs; `without` names gates to switch off."""
        if self._worker is not None:
            await self._worker.stop()
        self._without = without
        if without:
            self._worker = self._start("worker", [str(_GATELESS_WORKER), *without])
        else:
            self._worker = self._start("worker", [str(SHIPPED / "worker.py")])
        await asyncio.sleep(1)  # the pollers of the one before are forgotten meanwhile
        log = self._worker.log
        begins = log.stat().st_size if log.exists() else 0
        while b"worker_started" not in log.read_bytes()[max(0, begins - 4096) :]:
            self.check()
            await asyncio.sleep(_POLL_SECONDS)
        await self._wait_for_poller()

    @asynccontextmanager
    async def without_free_slots(self) -> AsyncIterator[None]:
        """Have a worker that takes no task at once, so that strangers may get it before."""
        before = self._without
        await self.start_worker(without=[*before, "eager tasks"])
        try:
            yield
        finally:
            await self.start_worker(without=before)

    def check(self) -> None:
        """Raise `DeploymentError` if worker or bridge has ended."""
        for child in (self._worker, self._starter):
            if child is not None and child.returncode is not None:
                msg = f"{child.name} ended with code {child.returncode}:\n{child.read_last_lines()}"
                raise DeploymentError(msg)

    def build_starter(self, analyst: str = "analyst/rules") -> WorkflowStarter:
        """Return the bridge's own starter of incidents, with another analyst than the bridge's."""
        chosen = self.settings.analyst.model_copy(update={"model": analyst})
        settings = self.settings.model_copy(update={"analyst": chosen})
        return WorkflowStarter(self.client, configuration=ConfigurationCache(), settings=settings)

    async def start_incident(self, event: DriftEvent, *, analyst: str = "analyst/rules") -> None:
        """Start an incident exactly as the bridge would."""
        await self.build_starter(analyst).start(event, published_at=datetime.now(UTC))

    def build_input(self, event: DriftEvent) -> IncidentInput:
        """Return the input that the bridge would start this event's incident with."""
        return self.build_starter()._build_input(  # noqa: SLF001 - there is no other way to it
            event, published_at=datetime.now(UTC)
        )

    async def publish(self, event: DriftEvent | str) -> None:
        """Write an event to the stream, as it is."""
        text = event if isinstance(event, str) else event.model_dump_json()
        await self.redis.xadd(self.settings.redis.stream, {"event": text})

    async def reset_champions(self, group: str) -> None:
        """Give the alias back to the version that has it at the beginning; that is allowed."""
        for model in list_models():
            if model.endswith(f"-{group}"):
                await asyncio.to_thread(self._reset_champion, model)

    def _reset_champion(self, model: str) -> None:
        first = str(find_situation(list_models()[model]).champion)
        served = self.registry.champion(model)
        if served is None or served.version == first:
            return
        self.oracle.allow_champion(model, first)
        key = compute_digest([model, "reset", str(self.oracle.read_position())])
        self.registry.set_champion(model, first, expected=served.version, key=key)

    def _start(self, name: str, command: Sequence[str]) -> ChildProcess:
        return self.embedded.start_child(
            name,
            [sys.executable, *command],
            environment={"OLLAMA_HOST": self._ollama, "TRIMTAB_WORKER__PIPELINES": "1"},
            folder=self._folder,
        )

    async def _wait_for_poller(self) -> None:
        while not await has_worker(self.client, names.ACTIONS_QUEUE):
            self.check()
            await asyncio.sleep(_POLL_SECONDS)
