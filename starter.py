"""Front door: runs the bridge from the Redis stream to Temporal until it is told to stop.

Exit codes: 0 when told to stop, 2 when the configuration is wrong, 1 for anything unforeseen.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trimtab.bridge.backoff import Backoff
from trimtab.bridge.bridge import Bridge
from trimtab.bridge.configuration import Configuration
from trimtab.bridge.stream import Stream
from trimtab.bridge.workflow_starter import Opener
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.models import load_limits, load_model, model_names
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.stack_addresses import redis_url
from trimtab.runtime.telemetry import telemetry
from trimtab.runtime.temporal import connect, connect_config, ensure_search_attributes

_CANNOT_LOOK = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED}

log = structlog.get_logger(__name__)


def check(settings: Settings) -> None:
    """Raises `BadConfigurationError` with everything that is wrong with what the bridge needs."""
    checks: list[Callable[[], object]] = [
        lambda: connect_config(settings),
        lambda: redis_url(settings),
        load_limits,
        *(partial(load_model, name) for name in model_names()),
    ]
    if faults := [fault for check in checks for fault in _faults_of(check)]:
        raise BadConfigurationError(faults)


async def serve(settings: Settings, *, stop: asyncio.Event) -> None:
    """Bridge until told to stop; Temporal and Redis may come and go meanwhile."""
    consumer = settings.bridge.consumer or socket.gethostname()
    with telemetry(settings, service="trimtab-bridge") as plugins:
        client = await connect(settings, plugins=plugins, lazy=True)
        stream = Stream.open(
            redis_url(settings), names=settings.redis, reading=settings.bridge, consumer=consumer
        )
        opener = Opener(client, configuration=Configuration(), settings=settings)
        try:
            await prepare_temporal(client, stop=stop)
            log.info("bridge_started", stream=settings.redis.stream, consumer=consumer)
            await Bridge(stream, opener=opener, settings=settings.bridge, stop=stop).run()
        finally:
            await stream.close()


async def prepare_temporal(client: Client, *, stop: asyncio.Event) -> None:
    """Wait for Temporal, and see that incidents can be found there by their attributes."""
    backoff, told = Backoff(), False
    while not stop.is_set():
        try:
            await ensure_search_attributes(client)
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status in _CANNOT_LOOK:
                log.warning("search_attributes_unchecked", error=str(error))
                return
            if not told:
                log.warning("temporal_unavailable", error=str(error), remedy="start Temporal")
            told = True
            await backoff.wait(stop)
        else:
            return


def _faults_of(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except BadConfigurationError as error:
        yield from error.faults


async def _serve_until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, stop=stop)


def main() -> int:
    """Run; the exit code."""
    try:
        settings = load_settings()
        check(settings)
        configure_logging(settings)
        asyncio.run(_serve_until_told(settings))
    except BadConfigurationError as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
