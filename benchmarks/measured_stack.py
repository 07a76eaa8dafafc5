"""Starts what a benchmark measures: the embedded stack with a worker, and one of bare workflows."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import bare_workflows
from incidents import IncidentRunner
from redis.asyncio import Redis

from trimtab.adapters.event_keys import load_event_signer
from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.runtime.embedded.children import start_child
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import BacktestSettings, RedisSettings, TemporalSettings

APPROVAL_TIMEOUT: Final = timedelta(seconds=5)
"""Time after which an incident that asks a person, because its deliberation failed, ends."""


@asynccontextmanager
async def start_stack(
    home: Path, display: ProgressDisplay
) -> AsyncIterator[tuple[BacktestStack, IncidentRunner]]:
    """Start stack, worker, bridge and the worker of bare workflows; all end with the block."""
    settings = _build_settings(home)
    async with BacktestStack(settings, progress=display.show) as stack:
        bare_worker = start_child(
            [sys.executable, bare_workflows.__file__, stack.addresses.temporal],
            log=home / "logs" / "bare.log",
        )
        try:
            async with Redis.from_url(stack.addresses.redis) as redis:
                yield (
                    stack,
                    IncidentRunner(
                        stack.client,
                        redis,
                        stream=settings.redis.stream,
                        signer=load_event_signer(settings),
                    ),
                )
        finally:
            await bare_worker.stop()


def _build_settings(home: Path) -> Settings:
    """Return settings without any address; policy questions take the window's end as now."""
    return load_settings(analyst={"model": "analyst/rules"}).model_copy(
        update={
            "home": home,
            "mlflow_tracking_uri": None,
            "temporal": TemporalSettings(),
            "redis": RedisSettings(),
            "backtest": BacktestSettings(replay=True, approval_timeout=APPROVAL_TIMEOUT),
        }
    )
