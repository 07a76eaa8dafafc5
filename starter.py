"""Front door: runs the bridge from the Redis stream to Temporal until it is stopped by a signal.

Exit codes: 0 after SIGTERM or SIGINT, 2 when the configuration is wrong, 1 for anything unforeseen.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trimtab.adapters.sweep_schedule import ensure_sweep_schedule
from trimtab.bridge.backoff import Backoff
from trimtab.bridge.bridge import Bridge
from trimtab.bridge.configuration import ConfigurationCache
from trimtab.bridge.incident_limit import IncidentLimit
from trimtab.bridge.stream import StreamConsumer
from trimtab.bridge.workflow_starter import WorkflowStarter
from trimtab.files.private_files import restrict_new_files
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.logging import configure_logging
from trimtab.runtime.model_files import list_model_names
from trimtab.runtime.models import load_limits, load_model_spec
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.stack_addresses import require_redis_url
from trimtab.runtime.telemetry import start_tracing
from trimtab.runtime.temporal import (
    connect_temporal,
    ensure_search_attributes,
    load_connect_config,
)

_MAY_NOT_LOOK = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED}

log = structlog.get_logger(__name__)


def check_configuration(settings: Settings) -> None:
    """Check everything that the bridge needs.

    Raises:
        BadConfigurationError: Everything that is wrong, at once.
    """
    checks: list[Callable[[], object]] = [
        lambda: load_connect_config(settings),
        lambda: require_redis_url(settings),
        load_limits,
        *(partial(load_model_spec, name) for name in list_model_names()),
    ]
    if faults := [fault for check in checks for fault in _find_faults(check)]:
        raise BadConfigurationError(faults)


async def run_bridge(settings: Settings, *, stop: asyncio.Event) -> None:
    """Run the bridge until `stop` is set; Temporal and Redis may come and go meanwhile."""
    consumer = settings.bridge.consumer or socket.gethostname()
    with start_tracing(settings, service="trimtab-bridge") as plugins:
        client = await connect_temporal(settings, plugins=plugins, lazy=True)
        url = require_redis_url(settings)
        stream = StreamConsumer.connect(
            url, names=settings.redis, reading=settings.bridge, consumer=consumer
        )
        starter = WorkflowStarter(client, configuration=ConfigurationCache(), settings=settings)
        try:
            await prepare_temporal(client, stop=stop, sweep_every=settings.audit.sweep_every)
            log.info("bridge_started", stream=settings.redis.stream, consumer=consumer)
            limit = IncidentLimit(client, limit=settings.bridge.open_incidents)
            await Bridge(
                stream, starter=starter, settings=settings.bridge, stop=stop, limit=limit
            ).run()
        finally:
            await stream.close()


async def prepare_temporal(client: Client, *, stop: asyncio.Event, sweep_every: timedelta) -> None:
    """Wait for Temporal; add the search attributes of incidents, and the schedule of the sweep."""
    backoff, logged = Backoff(), False
    while not stop.is_set():
        try:
            await ensure_search_attributes(client)
            await ensure_sweep_schedule(client, every=sweep_every)
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status in _MAY_NOT_LOOK:
                log.warning("search_attributes_unchecked", error=str(error))
                return
            if not logged:
                log.warning("temporal_unavailable", error=str(error), remedy="start Temporal")
            logged = True
            await backoff.wait(stop)
        else:
            return


def _find_faults(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except BadConfigurationError as error:
        yield from error.faults


async def _run_until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_bridge(settings, stop=stop)


def main() -> int:
    """Run the bridge and return the exit code."""
    try:
        settings = load_settings()
        check_configuration(settings)
        configure_logging(settings)
        restrict_new_files()
        asyncio.run(_run_until_signal(settings))
    except BadConfigurationError as error:
        sys.stderr.write("".join(f"{fault}\n" for fault in error.faults))
        return 2
    except Exception:
        log.exception("bridge_failed")  # and not on stderr as it is: it may hold a password
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
