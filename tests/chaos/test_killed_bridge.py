"""A bridge that dies around the start of an incident, or its acknowledgement, opens it once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.service import RPCError

from tests.architecture.sources import ROOT
from tests.bridge.local import watch
from tests.builders import an_event
from tests.chaos.crash_points import CrashMoment
from tests.waiting import until
from trimtab.contracts.names import build_drift_response_id
from trimtab.runtime.embedded.children import start_child


class Bridges:
    """One bridge after the other, and what each leaves in stream and Temporal."""

    def __init__(self, folder: Path, *, redis: str, temporal: str, client: Client) -> None:
        self.stream = f"drift-{uuid4().hex[:8]}"
        self.client = client
        self.ends: list[int] = []
        self._folder = folder
        self._redis = redis
        self._environment = {
            "PYTHONPATH": str(ROOT),
            "TRIMTAB_HOME": str(folder / "home"),
            "TRIMTAB_REDIS__URL": redis,
            "TRIMTAB_REDIS__STREAM": self.stream,
            "TRIMTAB_TEMPORAL__ADDRESS": temporal,
            "TRIMTAB_BRIDGE__BLOCK": "PT0.1S",
        }

    @asynccontextmanager
    async def kept_running(self, *words: str) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self._keep_running(words))
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def _keep_running(self, words: tuple[str, ...]) -> None:
        while True:
            bridge = start_child(
                [sys.executable, "-m", "tests.chaos.crashing_bridge", str(self._folder), *words],
                log=self._folder / "bridge.log",
                environment=self._environment,
                folder=self._folder,
                grace=2.0,
            )
            try:
                self.ends.append(await bridge.wait())
            finally:
                await bridge.stop()

    async def publish(self, event_id: str) -> None:
        event = an_event(event_id)
        async with Redis.from_url(self._redis) as redis:
            await redis.xadd(self.stream, {"event": event.model_dump_json()})

    async def count_pending(self) -> int:
        async with Redis.from_url(self._redis) as redis:
            (group,) = await redis.xinfo_groups(self.stream)
            return int(group["pending"]) + int(group["lag"] or 0)

    async def count_dead_letters(self) -> int:
        async with Redis.from_url(self._redis) as redis:
            return int(await redis.xlen("drift-events.dead"))

    async def is_opened(self, event_id: str) -> bool:
        handle = self.client.get_workflow_handle(build_drift_response_id("parking", event_id))
        try:
            await handle.describe()
        except RPCError:
            return False
        return True


@pytest.fixture
def bridges(
    valkey_url: str,
    temporal_address: str,
    temporal_client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bridges:
    monkeypatch.chdir(tmp_path)
    watch("parking")
    return Bridges(tmp_path, redis=valkey_url, temporal=temporal_address, client=temporal_client)


@pytest.mark.parametrize("moment", [CrashMoment.BEFORE, CrashMoment.AFTER])
async def test_a_bridge_that_dies_around_both_its_effects_opens_the_incident_once(
    bridges: Bridges, tmp_path: Path, moment: CrashMoment
) -> None:
    """Before the start, before the acknowledgement (after it has started), and after that."""
    event_id = f"event-{uuid4().hex[:8]}"
    await bridges.publish(event_id)

    async with bridges.kept_running(moment.value):
        await until(lambda: len(bridges.ends) >= 2, seconds=90)
        await until(lambda: bridges.is_opened(event_id), seconds=60)
        await until(lambda: _is_zero(bridges), seconds=60)

    deaths = {path.name for path in (tmp_path / "deaths").glob("*")}
    assert deaths == {"start", "acknowledgement"}
    assert bridges.ends[:2] == [128 + signal.SIGKILL] * 2
    history = await bridges.client.get_workflow_handle(
        build_drift_response_id("parking", event_id)
    ).fetch_history()
    assert len(history.events) == 2  # started, and its first task: no worker runs here
    assert await bridges.count_dead_letters() == 0


async def test_an_event_that_is_acknowledged_before_its_incident_is_opened_gets_lost(
    bridges: Bridges,
) -> None:
    """The control: with the order reversed, the same kill loses the event."""
    event_id = f"event-{uuid4().hex[:8]}"
    await bridges.publish(event_id)

    async with bridges.kept_running(CrashMoment.BEFORE.value, "careless"):
        await until(lambda: len(bridges.ends) >= 2, seconds=90)
        await until(lambda: _is_zero(bridges), seconds=60)
        await asyncio.sleep(3)

    assert not await bridges.is_opened(event_id)


async def _is_zero(bridges: Bridges) -> bool:
    return await bridges.count_pending() == 0
