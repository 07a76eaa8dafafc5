"""The worker as a process of its own: it waits for what is not up yet, and has what it needs."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.architecture.sources import ROOT
from tests.servers import running_at
from tests.waiting import until
from trimtab.adapters.grants import load_grant_secret, load_private_key
from trimtab.contracts import names
from trimtab.runtime.embedded.children import ChildProcess, find_free_port, start_child
from trimtab.runtime.embedded.servers import TemporalServer

SECONDS: Final = 150.0
"""Time that a worker has: it loads everything, on a machine that does other work."""


class Workers:
    """Starts workers in one folder, all for the same Temporal."""

    def __init__(self, folder: Path, temporal: str) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._temporal = temporal
        self.children: list[ChildProcess] = []

    def start(self, *queues: str, name: str = "worker", **environment: str) -> ChildProcess:
        child = start_child(
            [sys.executable, str(ROOT / "worker.py"), "--queues", ",".join(queues or names.QUEUES)],
            log=self._folder / f"{name}.log",
            environment={
                "TRIMTAB_HOME": str(self.home),
                "TRIMTAB_TEMPORAL__ADDRESS": self._temporal,
                **environment,
            },
            folder=self._folder,
        )
        self.children.append(child)
        return child


def logged(child: ChildProcess, event: str) -> list[dict[str, Any]]:
    lines = [line for line in child.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line["event"] == event]


def waits_for(child: ChildProcess, thing: str) -> bool:
    return any(thing in line["thing"] for line in logged(child, "waiting"))


def pipelines_below(pid: int) -> list[psutil.Process]:
    """The pipeline processes that a worker has started."""
    children = psutil.Process(pid).children()
    return [each for each in children if "spawn_main" in " ".join(each.cmdline())]


@pytest.fixture
async def workers(tmp_path: Path, temporal_address: str) -> AsyncIterator[Workers]:
    made = Workers(tmp_path, temporal_address)
    yield made
    await asyncio.gather(*(child.stop() for child in made.children))


async def test_a_worker_waits_for_temporal_serves_and_keeps_what_it_writes_private(
    tmp_path: Path,
) -> None:
    """One long story, because a worker that serves has loaded everything."""
    ports = [find_free_port() for _ in range(4)]
    workers = Workers(tmp_path, f"127.0.0.1:{ports[0]}")
    child = workers.start(TRIMTAB_TEMPORAL__NAMESPACE="ours")
    try:
        await until(lambda: waits_for(child, "Temporal"), seconds=SECONDS)
        server = TemporalServer(tmp_path / "temporal.db", namespace="ours")
        async with running_at(server, tmp_path, ports):
            await until(lambda: logged(child, "worker_started"), seconds=SECONDS)
    finally:
        await child.stop()

    assert "Traceback" not in child.log.read_text()
    assert all("start Temporal" in line["reason"] for line in logged(child, "waiting"))
    found = [workers.home, *workers.home.rglob("*")]
    assert {"mlflow.db", "audit.key", "chroma.sqlite3"} <= {path.name for path in found}
    assert [path for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []


async def test_a_worker_without_its_namespace_says_how_to_make_it(workers: Workers) -> None:
    child = workers.start(names.AGENTS_QUEUE, TRIMTAB_TEMPORAL__NAMESPACE="elsewhere")

    await until(lambda: waits_for(child, "Temporal"), seconds=SECONDS)

    assert "namespace create elsewhere" in logged(child, "waiting")[0]["reason"]
    assert not (workers.home / "keys").exists(), "the agents need no key"


async def test_a_worker_that_acts_waits_for_the_public_key_and_makes_no_key(
    workers: Workers,
) -> None:
    keys = workers.home / "keys"
    child = workers.start(names.ACTIONS_QUEUE)
    await until(lambda: waits_for(child, "public grant key"), seconds=SECONDS)
    assert not keys.exists()

    load_private_key(keys / "grant.pem")
    load_grant_secret(keys / "grant.secret")

    await until(lambda: logged(child, "worker_started"), seconds=SECONDS)
    made = sorted(path.name for path in keys.iterdir())
    assert made == ["grant.pem", "grant.pub.pem", "grant.secret"]
    assert "Traceback" not in child.log.read_text()


async def test_a_worker_makes_no_new_audit_key_for_a_log_that_exists(workers: Workers) -> None:
    chain = workers.home / "audit" / "parking" / "event-1.jsonl"
    chain.parent.mkdir(parents=True)
    chain.write_text("{}\n")
    child = workers.start(names.MAIN_QUEUE)

    await until(lambda: waits_for(child, "audit key"), seconds=SECONDS)

    assert "audit.key is missing" in logged(child, "waiting")[-1]["reason"]
    assert not (workers.home / "keys" / "audit.key").exists()


async def test_no_password_is_in_what_a_worker_logs(workers: Workers) -> None:
    child = workers.start(
        names.MAIN_QUEUE, MLFLOW_TRACKING_URI=f"http://me:s3cret@127.0.0.1:{find_free_port()}"
    )

    await until(lambda: waits_for(child, "MLflow"), seconds=SECONDS)

    assert "s3cret" not in child.log.read_text()
    assert "Traceback" not in child.log.read_text()


async def test_the_pipelines_of_a_killed_worker_die_with_it(
    workers: Workers, tmp_path: Path, temporal_address: str
) -> None:
    """Without the guard, which would end them too: a worker need not run under it."""
    worker = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, str(ROOT / "worker.py"), "--queues", names.AGENTS_QUEUE],
        cwd=tmp_path,
        env={
            **os.environ,
            "TRIMTAB_HOME": str(workers.home),
            "TRIMTAB_TEMPORAL__ADDRESS": temporal_address,
        },
    )
    try:
        await until(lambda: pipelines_below(worker.pid), seconds=SECONDS)
        pipelines = pipelines_below(worker.pid)
    finally:
        worker.kill()
        worker.wait()

    await asyncio.to_thread(psutil.wait_procs, pipelines, 5)

    assert not any(each.is_running() for each in pipelines)


async def test_a_worker_that_waits_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    workers = Workers(tmp_path, f"127.0.0.1:{find_free_port()}")
    child = workers.start(names.AGENTS_QUEUE)
    await until(lambda: waits_for(child, "Temporal"), seconds=SECONDS)
    [worker] = psutil.Process(child.pid).children()

    worker.send_signal(signal.SIGTERM)

    async with asyncio.timeout(20):
        assert await child.wait() == 0
