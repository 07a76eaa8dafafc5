"""Real servers from the wheels, on free ports, each ended by its own pid."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.waiting import until
from trimtab.runtime.embedded.children import ChildProcess, start_child
from trimtab.runtime.embedded.server_start import start_server
from trimtab.runtime.embedded.servers import Ports, Server


def start_in(folder: Path, name: str, command: list[str]) -> ChildProcess:
    return start_child(command, log=folder / f"{name}.log", grace=2.0)


@contextmanager
def running(server: Server, folder: Path) -> Iterator[Ports]:
    """For session fixtures, which have no event loop of their own."""
    child, ports = asyncio.run(
        start_server(server, lambda name, command: start_in(folder, name, command), ready_within=60)
    )
    try:
        yield ports
    finally:
        asyncio.run(child.stop())


@asynccontextmanager
async def running_at(server: Server, folder: Path, ports: Ports) -> AsyncIterator[ChildProcess]:
    """On ports of the test's choice, so that it can go and come back."""
    child = start_in(folder, server.name, server.build_command(ports))
    try:
        await until(lambda: child.listens_on(ports[0]), seconds=60)
        await until(lambda: server.is_ready(ports), seconds=60)
        yield child
    finally:
        await child.stop()
