"""The whole of Trimtab on one machine for as long as a backtest lasts: stack, worker, bridge."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from redis.asyncio import Redis
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from trimtab.adapters.audit.audit_log import load_audit_key
from trimtab.adapters.audit.audit_verification import verify as verify_chains
from trimtab.adapters.pipeline_process import PipelineProcesses
from trimtab.cli.backtest.isolation import PRODUCTION_OVERRIDES
from trimtab.cli.registry_access import open_registry
from trimtab.contracts import names
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.ports import PipelineRunner
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.embedded.children import ChildProcess
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import StackAddresses
from trimtab.runtime.temporal import connect_temporal, has_worker

if TYPE_CHECKING:  # takes three seconds, during which worker and bridge start
    from trimtab.adapters.registry.model_registry import MlflowRegistry

_POLL_SECONDS: Final = 0.2


class BacktestStackError(TrimtabError):
    """The worker or the bridge has ended; the message holds its last lines."""


class BacktestStack:
    """Starts everything, hands out clients, and stops everything: an async context manager.

    Worker and bridge run in `folder` and read its conf/local; by default in the working directory.
    Variables in `environment` override all others for them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        progress: Callable[[str], None],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._environment = dict(environment or {})
        self._progress = progress
        self._stack = EmbeddedStack(settings, progress=progress)
        self._children: list[ChildProcess] = []
        self._processes: PipelineProcesses | None = None
        self.client: Client
        self.registry: MlflowRegistry
        self.pipelines: PipelineRunner

    @property
    def addresses(self) -> StackAddresses:
        """The addresses of the servers."""
        return self._stack.addresses

    async def __aenter__(self) -> Self:
        await self._stack.start()
        try:
            await self._open()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._processes is not None:
            await asyncio.to_thread(self._processes.close)
        await self._stack.stop()

    async def _open(self) -> None:
        self._progress("starting worker and bridge")
        for name in ("worker", "starter"):
            command = [sys.executable, str(SHIPPED / f"{name}.py")]
            self._children.append(
                self._stack.start_child(
                    name, command, environment=self._build_environment(), folder=self._folder
                )
            )
        self._processes = PipelineProcesses(
            run_pipeline,
            max_workers=1,
            environment={**PRODUCTION_OVERRIDES, **self.addresses.build_environment()},
        )
        self._processes.warm_up()
        self.pipelines = self._processes
        self.registry = await asyncio.to_thread(open_registry, self._settings)
        self.client = await connect_temporal(self._reach_temporal())
        self._progress("waiting for the worker")
        await asyncio.gather(*map(self._wait_for_poller, names.QUEUES))

    async def _wait_for_poller(self, queue: str) -> None:
        """Wait for a worker, so that the first incident is not timed with its start."""
        while not await has_worker(self.client, queue):
            self.check()
            await asyncio.sleep(_POLL_SECONDS)

    def _reach_temporal(self) -> Settings:
        """Return the settings with the address of the server that was started."""
        temporal = self._settings.temporal.model_copy(update={"address": self.addresses.temporal})
        return self._settings.model_copy(update={"temporal": temporal})

    def _build_environment(self) -> dict[str, str]:
        analyst, timeout = self._settings.analyst, self._settings.backtest.approval_timeout
        return {
            **PRODUCTION_OVERRIDES,
            "TRIMTAB_BACKTEST__REPLAY": "true",
            "TRIMTAB_ANALYST__MODEL": analyst.model,
            "TRIMTAB_ANALYST__TIMEOUT": f"PT{analyst.timeout.total_seconds()}S",
            "TRIMTAB_ANALYST__DELIBERATION_TIMEOUT": (
                f"PT{analyst.deliberation_timeout.total_seconds()}S"
            ),
            **({"TRIMTAB_BACKTEST__APPROVAL_TIMEOUT": f"PT{timeout.total_seconds()}S"}
               if timeout is not None else {}),
            **self._environment,
        }  # fmt: skip

    def check(self) -> None:
        """Raise `BacktestStackError` if the worker or the bridge has ended."""
        for child in self._children:
            if child.returncode is not None:
                last = child.read_last_lines()
                msg = f"the {child.name} ended with code {child.returncode}:\n{last}"
                raise BacktestStackError(msg)

    def verify_audit(self) -> tuple[ChainStatus, ...]:
        """Return the state of every incident's chain, compared with the registry's records."""
        home, audit = self._settings.home, self._settings.audit
        return verify_chains(
            audit.directory or home / "audit",
            key=load_audit_key(audit.key or home / "keys" / "audit.key"),
            tips=self.registry.list_recorded_tips(),
        )

    async def read_server_versions(self) -> dict[str, str]:
        """Return the versions of the servers that ran."""
        answer = await self.client.workflow_service.get_system_info(GetSystemInfoRequest())
        async with Redis.from_url(self.addresses.redis) as redis:
            info = await redis.info("server")
        stream = info.get("valkey_version") or info["redis_version"]
        return {"temporal-server": answer.server_version, "stream-server": str(stream)}

    async def wait_until_part_ends(self) -> None:
        """Wait until cancelled; raise `BacktestStackError` if the worker or the bridge ends."""
        while True:
            self.check()
            await asyncio.sleep(_POLL_SECONDS)
