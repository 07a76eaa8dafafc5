"""A schedule that is triggered judges the newest window by itself, and an event arrives."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from temporalio.client import Client

from tests.deployment import PARKING
from tests.waiting import until
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.monitoring import MonitoringReport
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.paths import SHIPPED
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.temporal import connect_temporal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TRIMTAB = Path(sys.executable).with_name("trimtab")
SHIPPED_SPEC = SHIPPED / "conf" / "base" / "models" / f"{PARKING}.yml"
HISTORY = SHIPPED / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
LAST = datetime(2016, 12, 19, 16, 30, tzinfo=UTC)
"""The last row: the weeks before it are those in which the champion does worse and worse."""
WEEK = timedelta(days=7)


def put_christmas_into_this_week(folder: Path) -> None:
    """The car parks as if they were counted now: moved by whole weeks until they reach today."""
    weeks = -((LAST - datetime.now(UTC)) // WEEK)
    history = pd.read_csv(HISTORY, parse_dates=["LastUpdated"])
    history["LastUpdated"] += weeks * WEEK
    history.to_parquet(folder / "now.parquet")
    local = folder / "conf" / "local"
    (local / "models").mkdir(parents=True)
    (local / "catalog.yml").write_text(
        "now:\n  type: trimtab.adapters.datasets.history.HistoryDataset\n  filepath: now.parquet\n"
    )
    start = datetime(2016, 10, 4, tzinfo=UTC) + weeks * WEEK
    spec = SHIPPED_SPEC.read_text()
    spec = spec.replace("start: 2016-10-04T00:00:00Z", f"start: {start:%Y-%m-%dT%H:%M:%SZ}")
    spec = spec.replace(f"dataset: {PARKING}", "dataset: now")
    (local / "models" / f"{PARKING}.yml").write_text(spec)


@pytest.fixture
def settings(trained_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a deployment in a folder of its own, with a champion."""
    put_christmas_into_this_week(tmp_path)
    home = tmp_path / ".trimtab"
    home.mkdir()
    shutil.copy(trained_database, home / "mlflow.db")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return load_settings(home=home)


@pytest_asyncio.fixture
async def stack(settings: Settings) -> AsyncIterator[EmbeddedStack]:
    async with EmbeddedStack(settings) as running:
        command = [sys.executable, str(SHIPPED / "worker.py"), "--queues", "trimtab"]
        running.start_child("worker", command)
        yield running


async def test_a_triggered_schedule_announces_the_drift_of_the_newest_window(
    stack: EmbeddedStack, settings: Settings, tmp_path: Path
) -> None:
    done = await asyncio.to_thread(trimtab, "schedule", PARKING, "--every", "1h", folder=tmp_path)
    client = await connect_temporal(settings)

    await client.get_schedule_handle(f"monitoring/{PARKING}").trigger()

    async with Redis.from_url(stack.addresses.redis) as redis:

        async def has_arrived() -> int:
            return int(await redis.xlen("drift-events"))

        await until(has_arrived, seconds=120)
        entries: Any = await redis.xrange("drift-events")
    ((_, fields),) = entries
    event = DriftEvent.model_validate_json(fields[b"event"])
    report = await the_report(client)
    assert f"{PARKING} created: every 1h" in done.stdout, done.stdout + done.stderr
    assert event.data.performance is not None
    assert event.data.performance.degraded
    (answer,) = report.windows
    assert (answer.event_id, answer.announced) == (event.id, True)
    assert timedelta(0) <= datetime.now(UTC) - answer.end < timedelta(hours=2)
    assert event.data.current.end == answer.end


async def the_report(client: Client) -> MonitoringReport:
    """Of the one run that there is."""
    found: list[str] = []
    async with asyncio.timeout(30):
        while not found:
            listed = client.list_workflows('WorkflowType="MonitoringWorkflow"')
            found = [each.id async for each in listed]
    (run,) = found
    assert run.startswith(f"monitoring/{PARKING}")
    report: MonitoringReport = await client.get_workflow_handle(
        run, result_type=MonitoringReport
    ).result()
    return report


def trimtab(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a person types it beside a running stack: it finds that by itself."""
    return subprocess.run(
        [TRIMTAB, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
