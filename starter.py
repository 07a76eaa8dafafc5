"""Front door: runs the bridge from the Redis stream to Temporal until it is stopped by a signal.

Exit codes: 0 after SIGTERM or SIGINT, 2 when the configuration is wrong, 1 for anything unforeseen.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trimtab.adapters.log_schedules import ensure_log_schedules
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
from trimtab.runtime.settings_sections import AuditSettings
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
            await prepare_temporal(client, stop=stop, audit=settings.audit)
            log.info("bridge_started", stream=settings.redis.stream, consumer=consumer)
            limit = IncidentLimit(client, limit=settings.bridge.open_incidents)
            await Bridge(
                stream, starter=starter, settings=settings.bridge, stop=stop, limit=limit
            ).run()
        finally:
            await stream.close()


async def prepare_temporal(client: Client, *, stop: asyncio.Event, audit: AuditSettings) -> None:
    """Wait for Temporal; add the search attributes of incidents, and the audit log's schedules."""
    await _repeat_until_done(
        partial(ensure_search_attributes, client), stop, unchecked="search_attributes_unchecked"
    )
    await _repeat_until_done(
        partial(ensure_log_schedules, client, audit),
        stop,
        unchecked="log_schedules_unchecked",
    )


async def _repeat_until_done(
    work: Callable[[], Awaitable[None]], stop: asyncio.Event, *, unchecked: str
) -> None:
    """Repeat the work while Temporal does not answer; log the event if it may not be done."""
    backoff, logged = Backoff(), False
    while not stop.is_set():
        try:
            await work()
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status in _MAY_NOT_LOOK:
                log.warning(unchecked, error=str(error))
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
