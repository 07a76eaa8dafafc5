"""Chooses the ports of `trimtab up`: the usual ones, or those that it had last time in this home.

Redis has no usual port here: many programs use whatever answers on 6379 without asking.
"""

import json
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from trimtab.files.atomic_file import write_atomically
from trimtab.runtime.embedded.children import find_free_port

USUAL_PORTS: Final = {"temporal": (7233, 8233), "mlflow": (5000,)}
"""Ports that clients try first: Temporal's frontend and Web UI, and MLflow's page."""
_FILE: Final = "ports.json"
_MAX_PORT: Final = 65_535


class HomePorts:
    """The ports of the servers of one home, kept in its `ports.json`."""

    def __init__(self, home: Path) -> None:
        self._path = home / _FILE
        self._last = _read(self._path)

    def choose(self, server: str, count: int) -> list[int]:
        """Return free ports: each the usual one, else the one of last time, else any."""
        chosen: list[int] = []
        for index in range(count):
            wanted = [
                ports[index]
                for ports in (USUAL_PORTS.get(server, ()), self._last.get(server, ()))
                if index < len(ports) and ports[index] not in chosen
            ]
            chosen.append(next(filter(is_free, wanted), None) or find_free_port())
        return chosen

    def keep(self, server: str, ports: Sequence[int]) -> None:
        """Write down the ports that a server has got."""
        self._last[server] = list(ports)
        write_atomically(self._path, json.dumps(self._last, indent=2) + "\n")


def list_displaced_ports(server: str, ports: Sequence[int]) -> Iterator[str]:
    """Yield each usual port that a server has not got, and the one that it has."""
    for usual, actual in zip(USUAL_PORTS.get(server, ()), ports, strict=False):
        if actual != usual:
            yield f"port {usual} is in use: {server} has {actual} instead of it"


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        if sys.platform == "linux":  # elsewhere it would also take a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _read(path: Path) -> dict[str, list[int]]:
    """Return what the file has; a broken one counts as missing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {str(name): [int(port) for port in ports] for name, ports in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}
    are_ports = all(0 < port <= _MAX_PORT for ports in known.values() for port in ports)
    return known if are_ports else {}
