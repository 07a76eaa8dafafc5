"""The embedded stack: real Temporal and Redis servers from wheels, all data under one folder.

MLflow (SQLite) and Chroma (a folder) need no server. A server whose address the settings name is
used as it is and not started.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from secrets import token_urlsafe
from typing import IO, Final, NoReturn, Self

import psutil

from trimtab.files.private_files import make_private_folder, private_umask, restrict_files
from trimtab.files.secret_file import read_or_create_secret
from trimtab.runtime.embedded.children import GRACE_SECONDS, ChildProcess, start_child
from trimtab.runtime.embedded.home_lock import lock_home
from trimtab.runtime.embedded.ports import HomePorts, list_displaced_ports
from trimtab.runtime.embedded.server_start import start_server
from trimtab.runtime.embedded.servers import (
    MlflowServer,
    Ports,
    Server,
    TemporalServer,
    ValkeyServer,
)
from trimtab.runtime.errors import StackError
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import StackAddresses, remove_addresses, write_addresses
from trimtab.runtime.temporal import (
    connect_temporal,
    ensure_search_attributes,
    load_connect_config,
)

READY_TIMEOUT_SECONDS: Final = 120.0
"""Time that a server has to become ready; MLflow's page takes 40 s on a busy machine."""
_POLL_SECONDS: Final = 0.1
_PASSWORD_BYTES: Final = 32

Progress = Callable[[str], None]


class EmbeddedStack:
    """Starts the servers that the settings name no address of: an async context manager.

    Everything it starts ends with this process, even by kill -9. With `usual_ports`, a server has
    the port that clients try first, or that of last time, where it is free.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        mlflow_ui: bool = False,
        usual_ports: bool = False,
        progress: Progress = lambda _: None,
        ready_within: float = READY_TIMEOUT_SECONDS,
    ) -> None:
        self._settings = settings
        self._home = settings.home.absolute()
        self._mlflow_ui = mlflow_ui
        self._ports = HomePorts(self._home) if usual_ports else None
        self._displaced_ports: list[str] = []
        self._progress = progress
        self._ready_within = ready_within
        self._servers: list[ChildProcess] = []
        self._clients: list[ChildProcess] = []
        self._lock: IO[str] | None = None
        self._addresses: StackAddresses | None = None

    @property
    def addresses(self) -> StackAddresses:
        """Addresses of all servers, once started."""
        if self._addresses is None:
            msg = "the embedded stack has not been started: enter it with `async with` first"
            raise StackError(msg)
        return self._addresses

    @property
    def displaced_ports(self) -> Sequence[str]:
        """One line for each usual port that was in use; only where those were asked for."""
        return tuple(self._displaced_ports)

    @property
    def servers(self) -> Sequence[ChildProcess]:
        """The servers that were started."""
        return tuple(self._servers)

    async def start(self) -> StackAddresses:
        """Start all servers, wait until each is ready, and write `stack.json`.

        Raises:
            StackError: A server does not become ready, or another process holds the home.
        """
        make_private_folder(self._home)
        with private_umask():
            (self._home / "stack.lock").touch()
        self._lock = await lock_home(self._home / "stack.lock")
        restrict_files(_list_databases(self._home))
        try:
            self._addresses = await self._start_servers()
            if self._starts_temporal:
                await self._add_search_attributes(self._addresses.temporal)
        except BaseException:
            await self.stop()
            raise
        write_addresses(self._addresses)
        return self._addresses

    async def stop(self) -> None:
        """End every child, the servers last, and remove `stack.json`."""
        if self._addresses is not None:
            remove_addresses(self._home)
        for children in (self._clients, self._servers):
            await asyncio.gather(*(child.stop() for child in children))
            children.clear()
        if self._lock is not None:
            self._lock.close()
        self._lock = self._addresses = None

    async def watch(self) -> NoReturn:
        """Watch the servers until cancelled.

        Raises:
            StackError: A server ended; the message has its last lines.
        """
        while True:
            for server in self._servers:
                if server.returncode is not None:
                    raise StackError(server.format_exit_report())
            await asyncio.sleep(_POLL_SECONDS)

    def start_child(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        grace: float = GRACE_SECONDS,
    ) -> ChildProcess:
        """Start a process that uses this stack and ends before it; it logs to `logs/NAME.log`."""
        variables = {**self.addresses.build_environment(), **(environment or {})}
        child = start_child(
            command,
            log=self._log_file(name),
            environment=variables,
            folder=folder,
            grace=grace,
            inherit=self._inherited_files,
        )
        self._clients = [*(old for old in self._clients if old.returncode is None), child]
        return child

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start_servers(self) -> StackAddresses:
        wanted: list[Server] = []
        if self._starts_temporal:
            namespace = self._settings.temporal.namespace or "default"
            wanted.append(TemporalServer(self._home / "temporal.db", namespace=namespace))
        if not self._settings.redis.url:
            wanted.append(ValkeyServer(self._home / "redis", password=self._redis_password))
        if self._mlflow_ui and not self._has_mlflow_server:
            artifacts = self._home / "mlartifacts"
            wanted.append(MlflowServer(self._settings.tracking_uri, artifacts=artifacts))
        answers = await asyncio.gather(*map(self._start_server, wanted), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        ports = dict(answer for answer in answers if not isinstance(answer, BaseException))
        return self._build_addresses(ports)

    @property
    def _starts_temporal(self) -> bool:
        return not (self._settings.temporal.address or self._settings.temporal.profile)

    @cached_property
    def _redis_password(self) -> str:
        path = self._home / "keys" / "redis.password"
        return read_or_create_secret(path, lambda: token_urlsafe(_PASSWORD_BYTES).encode()).decode()

    @property
    def _has_mlflow_server(self) -> bool:
        """Whether MLflow is a server already, which shows its own page."""
        return self._settings.tracking_uri.startswith("http")

    async def _start_server(self, server: Server) -> tuple[str, Ports]:
        self._progress(f"starting {server.name}")
        child, ports = await start_server(
            server,
            self._start_server_process,
            ready_within=self._ready_within,
            preferred=self._ports.choose(server.name, server.port_count) if self._ports else (),
        )
        self._servers.append(child)
        if self._ports is not None:
            self._ports.keep(server.name, ports)
            self._displaced_ports += list_displaced_ports(server.name, ports)
        self._progress(f"{server.name} is ready on 127.0.0.1:{ports[0]}")
        return server.name, ports

    def _start_server_process(self, name: str, command: Sequence[str]) -> ChildProcess:
        # MLflow's page gets its address here, because a command line shows passwords to everybody.
        variables = {"MLFLOW_BACKEND_STORE_URI": self._settings.tracking_uri}
        return start_child(
            command,
            log=self._log_file(name),
            environment=variables,
            inherit=self._inherited_files,
        )

    def _log_file(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"

    @property
    def _inherited_files(self) -> Sequence[int]:
        return [self._lock.fileno()] if self._lock else ()

    def _build_addresses(self, ports: Mapping[str, Ports]) -> StackAddresses:
        temporal, ui = ports.get("temporal"), self._settings.temporal.ui_url
        tracking, redis = self._settings.tracking_uri, str(self._settings.redis.url)
        if "redis" in ports:
            redis = f"redis://:{self._redis_password}@{_format_local(ports['redis'])}"
        return StackAddresses(
            temporal=_format_local(temporal) or load_connect_config(self._settings)["target_host"],
            ui=_format_local(temporal and temporal[1:], "http://") or (str(ui) if ui else None),
            redis=redis,
            tracking=tracking,
            mlflow_ui=tracking
            if self._has_mlflow_server
            else _format_local(ports.get("mlflow"), "http://"),
            home=self._home,
            pid=os.getpid(),
            born=psutil.Process().create_time(),
        )

    async def _add_search_attributes(self, address: str) -> None:
        """Add the search attributes that a database of an earlier version may lack."""
        temporal = self._settings.temporal.model_copy(update={"address": address})
        settings = self._settings.model_copy(update={"temporal": temporal})
        await ensure_search_attributes(await connect_temporal(settings))


def _list_databases(home: Path) -> list[Path]:
    """Return what earlier versions left readable: databases, streams, and files beside them."""
    folders = [home / name for name in ("chroma", "redis", "logs")]
    files = [*home.glob("*.db*"), *(file for folder in folders for file in folder.rglob("*"))]
    return [*folders, *files]


def _format_local(ports: Ports | None, scheme: str = "") -> str | None:
    return f"{scheme}127.0.0.1:{ports[0]}" if ports else None
