"""The embedded stack: real Temporal and Redis servers from wheels, all data under one folder.

MLflow (SQLite) and Chroma (a folder) need no server. What the settings give an address to is
used as it is and not started.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NoReturn, Self

import psutil

from trimtab.runtime.embedded.children import GRACE, Child, start_child
from trimtab.runtime.embedded.servers import (
    MlflowUi,
    Ports,
    Server,
    StackError,
    Temporal,
    Valkey,
    serve,
)
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import StackAddresses, announce, birth, withdraw
from trimtab.runtime.temporal import connect, connect_config, ensure_search_attributes

__all__ = ["EmbeddedStack", "StackAddresses", "StackError"]

PATIENCE: Final = 120.0
"""Seconds that a server has to become ready; MLflow's page takes 40 on a busy machine."""
_GLANCE: Final = 0.1

Progress = Callable[[str], None]


class EmbeddedStack:
    """Starts what the settings leave open, and ends it again: an async context manager.

    Everything it starts ends with this process, even by kill -9.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        mlflow_ui: bool = False,
        progress: Progress = lambda _: None,
        patience: float = PATIENCE,
    ) -> None:
        self._settings = settings
        self._home = settings.home.absolute()
        self._mlflow_ui = mlflow_ui
        self._progress = progress
        self._patience = patience
        self._servers: list[Child] = []
        self._clients: list[Child] = []
        self._lock: IO[str] | None = None
        self._addresses: StackAddresses | None = None

    @property
    def addresses(self) -> StackAddresses:
        """Where everything is, once started."""
        if self._addresses is None:
            msg = "the embedded stack has not been started: enter it with `async with` first"
            raise StackError(msg)
        return self._addresses

    @property
    def servers(self) -> Sequence[Child]:
        """The servers that were started."""
        return tuple(self._servers)

    async def start(self) -> StackAddresses:
        """Start all servers, wait until each is ready, and write `stack.json`.

        Raises `StackError` where a server does not become ready, or another process holds the
        home.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        self._lock = await _hold(self._home / "stack.lock")
        try:
            self._addresses = await self._start_servers()
            if self._starts_temporal:
                await self._prepare_temporal(self._addresses.temporal)
        except BaseException:
            await self.stop()
            raise
        announce(self._addresses)
        return self._addresses

    async def stop(self) -> None:
        """End every child, the servers last, and remove `stack.json`."""
        if self._addresses is not None:
            withdraw(self._home)
        for children in (self._clients, self._servers):
            await asyncio.gather(*(child.stop() for child in children))
            children.clear()
        if self._lock is not None:
            self._lock.close()
        self._lock = self._addresses = None

    async def watch(self) -> NoReturn:
        """Until cancelled; raises `StackError` when a server ends by itself."""
        while True:
            for server in self._servers:
                if server.returncode is not None:
                    raise StackError(server.obituary())
            await asyncio.sleep(_GLANCE)

    def start_child(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        grace: float = GRACE,
    ) -> Child:
        """Start a process that uses this stack and ends before it; it logs to `logs/NAME.log`."""
        variables = {**self.addresses.environment(), **(environment or {})}
        child = self._leash(name, command, environment=variables, folder=folder, grace=grace)
        self._clients = [*(old for old in self._clients if old.returncode is None), child]
        return child

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start_servers(self) -> StackAddresses:
        wanted: list[Server] = []
        if self._starts_temporal:
            namespace = self._settings.temporal.namespace or "default"
            wanted.append(Temporal(self._home / "temporal.db", namespace=namespace))
        if not self._settings.redis.url:
            wanted.append(Valkey(self._home / "redis"))
        if self._mlflow_ui and not self._has_page:
            artifacts = self._home / "mlartifacts"
            wanted.append(MlflowUi(self._settings.tracking_uri, artifacts=artifacts))
        answers = await asyncio.gather(*map(self._serve, wanted), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        ports = dict(answer for answer in answers if not isinstance(answer, BaseException))
        return self._describe(ports)

    @property
    def _starts_temporal(self) -> bool:
        return not (self._settings.temporal.address or self._settings.temporal.profile)

    @property
    def _has_page(self) -> bool:
        """Whether MLflow is a server, which shows its page itself."""
        return self._settings.tracking_uri.startswith("http")

    async def _serve(self, server: Server) -> tuple[str, Ports]:
        self._progress(f"starting {server.name}")
        child, ports = await serve(server, self._leash, patience=self._patience)
        self._servers.append(child)
        self._progress(f"{server.name} is ready on 127.0.0.1:{ports[0]}")
        return server.name, ports

    def _describe(self, ports: Mapping[str, Ports]) -> StackAddresses:
        temporal, ui = ports.get("temporal"), self._settings.temporal.ui_url
        return StackAddresses(
            temporal=_local(temporal) or connect_config(self._settings)["target_host"],
            ui=_local(temporal and temporal[1:], "http://") or (str(ui) if ui else None),
            redis=_local(ports.get("redis"), "redis://") or str(self._settings.redis.url),
            tracking=self._settings.tracking_uri,
            mlflow_ui=self._settings.tracking_uri
            if self._has_page
            else _local(ports.get("mlflow"), "http://"),
            home=self._home,
            pid=os.getpid(),
            born=psutil.Process().create_time(),
        )

    async def _prepare_temporal(self, address: str) -> None:
        """A database of an earlier version may lack search attributes."""
        temporal = self._settings.temporal.model_copy(update={"address": address})
        settings = self._settings.model_copy(update={"temporal": temporal})
        await ensure_search_attributes(await connect(settings))

    def _leash(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        grace: float = GRACE,
    ) -> Child:
        return start_child(
            name,
            command,
            log=self._home / "logs" / f"{name}.log",
            environment=environment,
            folder=folder,
            grace=grace,
            inherit=[self._lock.fileno()] if self._lock else (),
        )


async def _hold(path: Path) -> IO[str]:
    """Lock the home; the children inherit the lock, so it also waits for those of a dead one."""
    file = path.open("a+", encoding="utf-8")
    deadline = time.monotonic() + GRACE + 5.0
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            if time.monotonic() > deadline or _lives(holder):
                file.close()
                msg = (
                    f"{path.parent} is in use by process {holder or '(unknown)'}: stop that one"
                    " first, or set TRIMTAB_HOME to another folder"
                )
                raise StackError(msg) from None
            await asyncio.sleep(_GLANCE)
        else:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            return file


def _lives(pid: str) -> bool:
    return pid.isdecimal() and birth(int(pid)) is not None


def _local(ports: Ports | None, scheme: str = "") -> str | None:
    return f"{scheme}127.0.0.1:{ports[0]}" if ports else None
