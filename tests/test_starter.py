"""The bridge as a process of its own, between servers that come and go."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from redis.asyncio import Redis
from temporalio.client import Client

from tests.architecture.sources import ROOT
from tests.bridge.local import watch
from tests.builders import an_event
from tests.servers import running_at
from tests.waiting import until
from trimtab.contracts.names import SWEEP_ID, build_drift_response_id
from trimtab.runtime.embedded.children import ChildProcess, find_free_port, start_child
from trimtab.runtime.embedded.servers import TemporalServer, ValkeyServer
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect_temporal

STREAM = "drift-events"
GROUP = "drift-responders"


class Starters:
    """Starts bridges; `environment` has their settings."""

    def __init__(self, folder: Path, redis: str, temporal: str) -> None:
        self._folder = folder
        self.environment = {
            "TRIMTAB_HOME": str(folder / "home"),
            "TRIMTAB_REDIS__URL": redis,
            "TRIMTAB_TEMPORAL__ADDRESS": temporal,
            "TRIMTAB_BRIDGE__CLAIM_AFTER": "PT1S",
            "TRIMTAB_BRIDGE__BLOCK": "PT0.1S",
            "TRIMTAB_BRIDGE__OPEN_INCIDENTS": "1000",  # nobody serves them here
        }
        self.children: list[ChildProcess] = []

    def start(self, name: str = "one", **environment: str) -> ChildProcess:
        child = start_child(
            [sys.executable, str(ROOT / "starter.py")],
            log=self._folder / f"{name}.log",
            environment={
                **self.environment, "TRIMTAB_BRIDGE__CONSUMER": name, **environment
            },
            folder=self._folder,
        )  # fmt: skip
        self.children.append(child)
        return child


@pytest.fixture
def ports() -> Sequence[int]:
    return [find_free_port() for _ in range(5)]


@pytest.fixture
async def starters(
    ports: Sequence[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Starters]:
    monkeypatch.chdir(tmp_path)
    watch("parking")
    made = Starters(tmp_path, f"redis://127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")
    yield made
    await asyncio.gather(*(child.stop() for child in made.children))


async def publish(redis: Redis, count: int) -> list[str]:
    event_ids = [str(uuid4()) for _ in range(count)]
    for event_id in event_ids:
        await redis.xadd(STREAM, {"event": an_event(event_id).model_dump_json()})
    return event_ids


async def settled(redis: Redis) -> bool:
    groups = await redis.xinfo_groups(STREAM)
    return bool(groups) and groups[0]["pending"] == 0 and groups[0]["lag"] == 0


async def held(redis: Redis, count: int) -> bool:
    [group] = await redis.xinfo_groups(STREAM)
    return bool(group["pending"] == count)


async def runs(client: Client, event_id: str) -> int:
    query = f'WorkflowId = "{build_drift_response_id("parking", event_id)}"'
    return (await client.count_workflows(query)).count


async def test_events_survive_the_death_of_bridge_temporal_and_redis(
    starters: Starters, ports: Sequence[int], tmp_path: Path
) -> None:
    """One long story, because its servers take seconds to start."""
    temporal, valkey = TemporalServer(tmp_path / "temporal.db"), ValkeyServer(tmp_path / "redis")
    url = starters.environment["TRIMTAB_REDIS__URL"]

    # Events come while only the stream is there; two bridges wait for Temporal.
    async with running_at(valkey, tmp_path, ports[:1]), Redis.from_url(url) as redis:
        event_ids = await publish(redis, 20)
        first, second = starters.start("one"), starters.start("two")
        await until(lambda: "temporal_unavailable" in first.read_last_lines(), seconds=60)
        await until(lambda: "temporal_unavailable" in second.read_last_lines(), seconds=60)

        # Temporal comes: all are opened. It goes: the next wait, held by both.
        async with running_at(temporal, tmp_path, ports[1:]):
            await until(lambda: "bridge_started" in second.log.read_text(), seconds=60)
            await until(lambda: settled(redis), seconds=60)
        event_ids += await publish(redis, 20)
        await until(lambda: held(redis, 20), seconds=30)

        # One bridge is killed outright while it holds some.
        bridge = psutil.Process(first.pid).children()[0]
        bridge.kill()
        assert await first.wait() == 128 + signal.SIGKILL
        assert await held(redis, 20)

    # Redis goes, and comes back with what it had acknowledged; Temporal comes back.
    await until(lambda: "redis_unavailable" in second.read_last_lines(), seconds=30)
    async with (
        running_at(valkey, tmp_path, ports[:1]),
        running_at(temporal, tmp_path, ports[1:]),
        Redis.from_url(url) as redis,
    ):
        event_ids += await publish(redis, 5)
        await until(lambda: settled(redis), seconds=60)

        settings = load_settings(temporal={"address": f"127.0.0.1:{ports[1]}"})
        client = await connect_temporal(settings)
        await until(lambda: opened(client, event_ids), seconds=30)
        assert [await runs(client, event_id) for event_id in event_ids] == [1] * 45
        assert await redis.xlen(f"{STREAM}.dead") == 0
        assert (await client.get_schedule_handle(SWEEP_ID).describe()).info is not None

        # A signal ends the bridge.
        psutil.Process(second.pid).children()[0].send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            assert await second.wait() == 0
        assert '"left_pending": 0' in second.read_last_lines()


async def opened(client: Client, event_ids: Sequence[str]) -> bool:
    """Visibility follows a moment later."""
    return all([await runs(client, event_id) for event_id in event_ids])


async def test_all_errors_of_the_configuration_are_listed_at_once(
    starters: Starters, tmp_path: Path
) -> None:
    (tmp_path / "conf/local/models/broken.yml").write_text("name: broken\ntask: guessing\n")
    (tmp_path / "conf/local/policy.yml").write_text("cost_at_most: many\n")
    del (
        starters.environment["TRIMTAB_REDIS__URL"],
        starters.environment["TRIMTAB_TEMPORAL__ADDRESS"],
    )

    child = starters.start()

    assert await child.wait() == 2
    output = child.read_last_lines(50)
    for fault in (
        "redis.url = None",
        "temporal.address = None",
        "broken.yml: task",
        "cost_at_most",
    ):
        assert fault in output
    assert "Traceback" not in output


async def test_a_setting_that_does_not_exist_is_listed_too(starters: Starters) -> None:
    child = starters.start(TRIMTAB_BRIDGE__SPEED="high")

    assert await child.wait() == 2
    assert "bridge.speed" in child.read_last_lines()
