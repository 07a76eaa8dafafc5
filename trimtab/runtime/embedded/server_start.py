"""Starts an embedded server on free ports and waits until it is ready."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from trimtab.runtime.embedded.children import ChildProcess, find_free_port
from trimtab.runtime.embedded.servers import Ports, Server
from trimtab.runtime.errors import StackError

_MAX_ATTEMPTS: Final = 5
"""Number of starts of a server that loses the race for its ports to another process."""
_POLL_SECONDS: Final = 0.05


async def start_server(
    server: Server,
    start: Callable[[str, list[str]], ChildProcess],
    *,
    ready_within: float,
    preferred: Ports = (),
) -> tuple[ChildProcess, Ports]:
    """Start a server on free ports and wait until it is ready.

    Args:
        server: The server.
        start: Starts a command line under a name.
        ready_within: Seconds that the server has to become ready.
        preferred: Ports to try first; none for any free ones.

    Raises:
        StackError: It ended early, or is not ready in time; the message has the end of its log.
    """
    for attempt in range(_MAX_ATTEMPTS):
        ports = preferred if attempt == 0 else ()
        ports = ports or [find_free_port() for _ in range(server.port_count)]
        child = start(server.name, server.build_command(ports))
        try:
            if await _wait_until_ready(server, child, ports=ports, ready_within=ready_within):
                return child, ports
        except BaseException:
            await child.stop()
            raise
        if "in use" not in child.read_last_lines():
            break
    raise StackError(child.format_exit_report())


async def _wait_until_ready(
    server: Server, child: ChildProcess, *, ports: Ports, ready_within: float
) -> bool:
    """Return True once the server is ready, False when it has ended before."""
    deadline = time.monotonic() + ready_within
    while child.returncode is None:
        if child.listens_on(ports[0]) and await server.is_ready(ports):
            return True
        if time.monotonic() > deadline:
            msg = (
                f"{server.name} is not ready on port {ports[0]} after {ready_within:g} s; the end"
                f" of {child.log}:\n{child.read_last_lines() or '(empty)'}"
            )
            raise StackError(msg)
        await asyncio.sleep(_POLL_SECONDS)
    return False
