"""Keeps worker, bridge, Temporal, Redis and MLflow running, each by its own process, and kills any.

A component that ended, for whatever reason, is started again at once, with the same ports and
files.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import psutil

from trimtab.cli.backtest.isolation import PRODUCTION_OVERRIDES
from trimtab.runtime.embedded.children import ChildProcess, find_free_port, start_child
from trimtab.runtime.embedded.servers import MlflowServer, Server, TemporalServer, ValkeyServer
from trimtab.runtime.paths import SHIPPED

_POLL_SECONDS: Final = 0.1
_READY_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.5
"""Time between a component's end and its next start."""


class RedisWithoutFile(ValkeyServer):
    """A control: acknowledges what it keeps in memory only."""

    def build_command(self, ports: list[int]) -> list[str]:  # type: ignore[override]
        """Return the command line without the append-only file."""
        command = super().build_command(ports)
        command[command.index("--appendonly") + 1] = "no"
        return command


class KeptComponent:
    """One component: how to start it, and its process of the moment."""

    def __init__(
        self, name: str, start: Callable[[], ChildProcess], *, is_ready: Callable[[], object]
    ) -> None:
        self.name = name
        self.kills = 0
        self._start = start
        self._is_ready = is_ready
        self._child: ChildProcess | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start it, and wait until it is ready."""
        self._task = asyncio.create_task(self._keep_running())
        await self.wait_until_ready()

    async def wait_until_ready(self) -> None:
        """Wait until the process of the moment answers."""
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                answer = self._is_ready()
                if await answer if asyncio.iscoroutine(answer) else answer:
                    return
                await asyncio.sleep(_POLL_SECONDS)

    def kill(self) -> bool:
        """Send SIGKILL to the process, and not to its guard; return whether there was one."""
        if self._child is None or self._child.returncode is not None:
            return False
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._child.pid).children():
                process.send_signal(signal.SIGKILL)
                self.kills += 1
                return True
        return False

    def listens_on(self, port: int) -> bool:
        """Return whether the process of the moment listens on the port."""
        return self._child is not None and self._child.listens_on(port)

    @property
    def last_lines(self) -> str:
        """The last lines of its log."""
        return self._child.read_last_lines() if self._child else ""

    async def close(self) -> None:
        """Stop it for good."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._child is not None:
            await self._child.stop()

    async def _keep_running(self) -> None:
        while True:
            self._child = self._start()
            await self._child.wait()
            await asyncio.sleep(_PAUSE_SECONDS)


class CrashStack:
    """The whole of Trimtab on fixed ports: an async context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        progress: Callable[[str], None],
        without: str = "",
        approval_seconds: float = 5.0,
    ) -> None:
        self._folder = folder
        self.home = folder / "home"
        self._progress = progress
        self._without = without
        self._approval_seconds = approval_seconds
        self._ports = {name: [find_free_port() for _ in range(4)] for name in _SERVERS}
        self.components: dict[str, KeptComponent] = {}

    @property
    def temporal(self) -> str:
        """host:port of Temporal."""
        return f"127.0.0.1:{self._ports['temporal'][0]}"

    @property
    def redis(self) -> str:
        """URL of the stream."""
        return f"redis://127.0.0.1:{self._ports['redis'][0]}"

    @property
    def tracking(self) -> str:
        """URL of MLflow's server."""
        return f"http://127.0.0.1:{self._ports['mlflow'][0]}"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for every process of ours."""
        return {
            **PRODUCTION_OVERRIDES,
            "TRIMTAB_HOME": str(self.home),
            "TRIMTAB_TEMPORAL__ADDRESS": self.temporal,
            "TRIMTAB_REDIS__URL": self.redis,
            "MLFLOW_TRACKING_URI": self.tracking,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "DO_NOT_TRACK": "1",
            "TRIMTAB_BACKTEST__REPLAY": "true",
            "TRIMTAB_BACKTEST__APPROVAL_TIMEOUT": f"PT{self._approval_seconds}S",
            "TRIMTAB_ANALYST__MODEL": "analyst/rules",
        }

    async def __aenter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            for server in self._build_servers():
                self._progress(f"starting {server.name}")
                await self._open(server.name, self._keep_server(server))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for component in reversed(self.components.values()):
            await component.close()

    async def open_front_doors(self) -> None:
        """Start worker and bridge."""
        bridge = [str(SHIPPED / "starter.py")]
        if self._without == "acknowledgement":
            bridge = ["-m", "tests.chaos.careless_bridge"]
        for name, words in (("worker", [str(SHIPPED / "worker.py")]), ("bridge", bridge)):
            self._progress(f"starting the {name}")
            command = [sys.executable, *words]
            await self._open(
                name, KeptComponent(name, self._starter(name, command), is_ready=_say_yes)
            )

    async def _open(self, name: str, component: KeptComponent) -> None:
        self.components[name] = component
        await component.open()

    def _build_servers(self) -> list[Server]:
        store = f"sqlite:///{self.home / 'mlflow.db'}"
        kind = RedisWithoutFile if self._without == "appendonly" else ValkeyServer
        return [
            TemporalServer(self.home / "temporal.db"),
            kind(self.home / "redis"),
            MlflowServer(store, artifacts=self.home / "mlartifacts"),
        ]

    def _keep_server(self, server: Server) -> KeptComponent:
        ports = self._ports[server.name][: server.port_count]
        start = self._starter(server.name, server.build_command(ports))

        async def is_ready() -> bool:
            return component.listens_on(ports[0]) and await server.is_ready(ports)

        component = KeptComponent(server.name, start, is_ready=is_ready)
        return component

    def _starter(self, name: str, command: list[str]) -> Callable[[], ChildProcess]:
        """Return what starts the command; ours finds the controls of `tests`, and conf/local."""
        variables = {**self.environment, "PYTHONPATH": str(SHIPPED)}
        log = self.home / "logs" / f"{name}.log"
        return lambda: start_child(
            command, log=log, environment=variables, folder=self._folder, grace=5.0
        )


def _say_yes() -> bool:
    """Return True: whether a worker polls, Temporal knows, and a test need not wait for it."""
    return True


_SERVERS: Final = ("temporal", "redis", "mlflow")
COMPONENTS: Final = ("worker", "bridge", *_SERVERS)
