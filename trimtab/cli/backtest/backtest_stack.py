"""The whole of Trimtab on one machine for as long as a backtest lasts: stack, worker, bridge."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from redis.asyncio import Redis
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import Client

from trimtab.cli.backtest.isolation import OVERRULED
from trimtab.contracts import names
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.ports import PipelineRunner
from trimtab.runtime.embedded.children import ChildProcess
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import StackAddresses
from trimtab.runtime.temporal import connect_temporal

if TYPE_CHECKING:
    from trimtab.adapters.registry.model_registry import MlflowRegistry

_GLANCE = 0.2


class StageFailed(Exception):  # noqa: N818 - says what happened
    """A part of the stack ended by itself; the message holds its last words."""


class Stage:
    """Starts everything, hands out clients, and ends everything: an async context manager.

    Worker and bridge work in `folder`, whose conf/local is theirs; by default in ours. Variables
    in `environment` overrule all others for them.
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
        self.client: Client
        self.registry: MlflowRegistry
        self.pipelines: PipelineRunner

    @property
    def addresses(self) -> StackAddresses:
        """Where everything is."""
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
        if hasattr(self, "_processes"):
            await asyncio.to_thread(self._processes.close)
        await self._stack.stop()

    async def _open(self) -> None:
        self._progress("starting worker and bridge")
        for name in ("worker", "starter"):
            command = [sys.executable, str(SHIPPED / f"{name}.py")]
            self._children.append(
                self._stack.start_child(
                    name, command, environment=self._replay_environment(), folder=self._folder
                )
            )
        from trimtab.adapters.pipeline_process import PipelineProcesses  # noqa: PLC0415 - slow to import
        from trimtab.pipelines.session import run_pipeline  # noqa: PLC0415 - slow to import

        self._processes = PipelineProcesses(
            run_pipeline, max_workers=1, environment=self.addresses.build_environment()
        )
        self._processes.warm_up()
        self.pipelines = self._processes
        self.registry = await asyncio.to_thread(self._open_registry)
        self.client = await connect_temporal(self._reached())
        self._progress("waiting for the worker")
        await asyncio.gather(*map(self._until_served, names.QUEUES))

    async def _until_served(self, queue: str) -> None:
        """So that the first incident does not wait for a worker that still starts."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        while True:
            self.check()
            answer = await self.client.workflow_service.describe_task_queue(request)
            if answer.pollers:
                return
            await asyncio.sleep(_GLANCE)

    def _open_registry(self) -> "MlflowRegistry":
        from trimtab.adapters.registry.model_registry import MlflowRegistry  # noqa: PLC0415 - slow to import

        return MlflowRegistry(settings=self._settings)

    def _reached(self) -> Settings:
        temporal = self._settings.temporal.model_copy(update={"address": self.addresses.temporal})
        return self._settings.model_copy(update={"temporal": temporal})

    def _replay_environment(self) -> dict[str, str]:
        analyst, timeout = self._settings.analyst, self._settings.backtest.approval_timeout
        return {
            **OVERRULED,
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
        """Raise `StageFailed` when worker or bridge has ended."""
        for child in self._children:
            if child.returncode is not None:
                msg = f"the {child.name} ended with {child.returncode}:\n{child.read_last_lines()}"
                raise StageFailed(msg)

    def verify_audit(self) -> tuple[ChainStatus, ...]:
        """The state of every incident's chain, compared with what the registry recorded."""
        from trimtab.adapters.audit.audit_log import load_audit_key  # noqa: PLC0415 - with the registry's imports
        from trimtab.adapters.audit.audit_verification import verify  # noqa: PLC0415 - as above

        home, audit = self._settings.home, self._settings.audit
        return verify(
            audit.directory or home / "audit",
            key=load_audit_key(audit.key or home / "keys" / "audit.key"),
            tips=self.registry.list_recorded_tips(),
        )

    async def server_versions(self) -> dict[str, str]:
        """Of the servers that ran."""
        answer = await self.client.workflow_service.get_system_info(GetSystemInfoRequest())
        async with Redis.from_url(self.addresses.redis) as redis:
            info = await redis.info("server")
        stream = info.get("valkey_version") or info["redis_version"]
        return {"temporal-server": answer.server_version, "stream-server": str(stream)}

    async def stay(self) -> None:
        """Until Ctrl-C, or until a part ends."""
        while True:
            self.check()
            await asyncio.sleep(_GLANCE)
