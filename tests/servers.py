"""Real servers from the wheels, on free ports, each ended by its own pid."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.waiting import until
from trimtab.runtime.embedded.children import Child, start_child
from trimtab.runtime.embedded.servers import Ports, Server, serve


def start_in(folder: Path, name: str, command: list[str]) -> Child:
    return start_child(name, command, log=folder / f"{name}.log", grace=2.0)


@contextmanager
def running(server: Server, folder: Path) -> Iterator[Ports]:
    """For session fixtures, which have no event loop of their own."""
    child, ports = asyncio.run(
        serve(server, lambda name, command: start_in(folder, name, command), patience=60)
    )
    try:
        yield ports
    finally:
        asyncio.run(child.stop())


@asynccontextmanager
async def running_at(server: Server, folder: Path, ports: Ports) -> AsyncIterator[Child]:
    """On ports of the test's choice, so that it can go and come back."""
    child = start_in(folder, server.name, server.command(ports))
    try:
        await until(lambda: child.listens_on(ports[0]), seconds=60)
        await until(lambda: server.is_ready(ports), seconds=60)
        yield child
    finally:
        await child.stop()
