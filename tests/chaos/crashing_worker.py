"""A worker on a real registry and a real log that dies at every point of one moment, and is reborn.

    python -m tests.chaos.crashing_worker ADDRESS HOME SCENARIO MOMENT [--only POINT]

Each life is a fork of a process that has imported everything, so that a death costs no start.
"""

import argparse
import asyncio
import base64
import os
import signal
import time
import traceback
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.chaos.crash_points import (
    CrashingActivities,
    CrashingLog,
    CrashingPipelines,
    CrashingRegistry,
    CrashMoment,
    CrashPoints,
)
from tests.chaos.quick_retries import QuickRetries
from tests.chaos.scenarios import MODEL, SCENARIOS, Scenario
from tests.workflows.world import World
from trimtab.adapters.grants import JwtGuard, JwtMint
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.tags import EFFECT_KEY_TAG
from trimtab.runtime.settings import Settings

KEY: Final = b"k" * 32
_PAUSE_SECONDS: Final = 0.5
"""Pause after a life that ended otherwise than by its own hand."""


class KeylessRegistry(CrashingRegistry):
    """A control: finds by its key only what this very process made, as if there were no keys."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._born = datetime.now(UTC)

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        own = [
            each
            for each in self.versions(model)
            if each.tags.get(EFFECT_KEY_TAG) == key and each.created_at >= self._born
        ]
        return own[0] if own else None


class CrashingWorld(World):
    """The activities and workflows of tests, on real MLflow, with the points around its ports."""

    def __init__(
        self,
        client: Client,
        home: Path,
        *,
        scenario: Scenario,
        points: CrashPoints,
        without: str = "",
    ) -> None:
        super().__init__(client, home)
        settings = Settings(home=home, mlflow_tracking_uri=None)
        kind = KeylessRegistry if without == "key" else CrashingRegistry
        registry = kind(settings=settings, points=points)
        secret = base64.urlsafe_b64encode(KEY)
        key = Ed25519PrivateKey.from_private_bytes(KEY)
        self.worker_options = {
            "interceptors": [CrashingActivities(points), QuickRetries()],
            "sticky_queue_schedule_to_start_timeout": timedelta(seconds=1),
        }
        self._mint = JwtMint(key=key, secret=secret)
        self._guard = JwtGuard(key=key.public_key(), secret=secret)
        self.knowledge.documents = scenario.documents
        incident = scenario.build_incident("any")
        self.archive.put_in_force(incident.limits, incident.spec)
        vars(self).update(
            registry=registry,
            pipelines=CrashingPipelines(
                scenario.metrics, registry=registry, settings=settings, points=points
            ),
            audit=CrashingLog(home / "audit", key=KEY, points=points),
        )


async def serve(arguments: argparse.Namespace) -> None:
    """Live until the next point."""
    client = await Client.connect(arguments.address, data_converter=pydantic_data_converter)
    points = CrashPoints(
        arguments.home / "deaths", moment=CrashMoment(arguments.moment), only=arguments.only
    )
    world = CrashingWorld(
        client,
        arguments.home,
        scenario=SCENARIOS[arguments.scenario],
        points=points,
        without=arguments.without,
    )
    # As the product's worker does: a cancellation that hits a thread while SQLAlchemy sets itself
    # up would break the registry for the rest of this life.
    await asyncio.to_thread(world.registry.last_action_at, MODEL)
    async with AsyncExitStack() as stack:
        for worker in world._workers():
            await stack.enter_async_context(worker)
        await asyncio.Event().wait()


def live_again_and_again(arguments: argparse.Namespace) -> None:
    """Fork one life after the other, and note how each has ended."""
    while True:
        life = os.fork()
        if life == 0:
            try:
                asyncio.run(serve(arguments))
            except BaseException:  # noqa: BLE001 - the parent counts it as another end
                traceback.print_exc()
            os._exit(1)
        _, status = os.waitpid(life, 0)
        code = os.waitstatus_to_exitcode(status)
        with (arguments.home / "lives").open("a") as file:
            file.write(f"{code}\n")
        if code != -signal.SIGKILL:
            time.sleep(_PAUSE_SECONDS)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("home", type=Path)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("moment", choices=list(CrashMoment))
    parser.add_argument("--only", default="")
    parser.add_argument("--without", default="")
    return parser.parse_args()


if __name__ == "__main__":
    live_again_and_again(parse_arguments())
