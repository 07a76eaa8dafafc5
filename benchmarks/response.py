"""Times the response to drift, from XADD to verdict and report, beside a bare Temporal workflow.

`.venv/bin/python benchmarks/response.py` runs the embedded stack with a real worker and bridge in a
temporary folder, and prints the figures; Ctrl-C ends all of it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))

import bare
import typer
from bare import Peer, Shape
from figures import Burst, Figures, cpu_seconds, spent_since
from incidents import Incidents, Timing, again, calmed, shape_of
from redis.asyncio import Redis
from rich.console import Console

from trimtab.cli.backtest.backtest_stack import BacktestStack, BacktestStackError
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent
from trimtab.runtime.embedded.children import start_child
from trimtab.runtime.errors import StackError
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import BacktestSettings, RedisSettings, TemporalSettings

MODEL: Final = "birmingham-parking"
WINDOW: Final = {"start": "2016-12-06T00:00:00Z", "end": "2016-12-13T00:00:00Z"}
"""A week that raises an event, and from which a better champion can be learnt."""
POLICY: Final = "cooldown: PT0S\n"
"""So that one incident after the other may act."""
NOBODY_WAITS: Final = timedelta(seconds=5)
"""An incident that asks a person, for its deliberation failed, ends by itself, and is counted."""
WARM_UP: Final = 5


class Benchmark:
    """One run: what is measured, in this order."""

    def __init__(
        self, stack: BacktestStack, incidents: Incidents, *, display: ProgressDisplay
    ) -> None:
        self._stack = stack
        self._incidents = incidents
        self._display = display
        self._peer = Peer(stack.client)
        self._champion = ""
        self.figures = Figures()

    async def run(self, *, calm: int, acting: int, burst: int) -> None:
        """So many incidents of each kind; the figures fill on the way."""
        event = await self._first_event()
        await self._warm_up(event)
        self.figures.acting, last = await self._one_by_one(
            "incidents that retrain and promote", again(event, "acting"), acting, reset=True
        )
        self.figures.acting_trails = await self._incidents.trails(last)
        before = cpu_seconds()
        self.figures.calm, last = await self._one_by_one(
            "incidents that end monitored", again(calmed(event), "calm"), calm
        )
        self.figures.calm_cpu = spent_since(before, count=calm)
        self.figures.calm_trails = await self._incidents.trails(last)
        await self._beside(calm, acting)
        await self._saturate(calmed(event), burst)

    async def _first_event(self) -> DriftEvent:
        """Train, and let the pipelines themselves announce the first drift."""
        self._display.show("training the champion")
        trained = await self._stack.pipelines.run("training", {"model": MODEL})
        self._champion = str(trained["version"])
        self._display.show("measuring a window that drifted")
        outputs = await self._stack.pipelines.run("monitoring", {"model": MODEL, **WINDOW})
        event = DriftEvent.model_validate(outputs["event"])
        self._display.show("the first incident, on a cold worker")
        self.figures.first = await self._incidents.end_of(event)
        return event

    async def _warm_up(self, event: DriftEvent) -> None:
        await self._one_by_one("warming up: acting", again(event, "warm-acting"), 2, reset=True)
        calm = again(calmed(event), "warm-calm")
        _, last = await self._one_by_one("warming up: monitored", calm, WARM_UP)
        shape = shape_of(await self._incidents.trails(last))
        self._begin("warming up: bare workflows", WARM_UP)
        for _ in range(WARM_UP):
            await self._peer.one(shape)
            self._display.advance()

    async def _one_by_one(
        self, what: str, events: Iterator[DriftEvent], count: int, *, reset: bool = False
    ) -> tuple[list[Timing], DriftEvent]:
        """One incident after the other, and the last one's event."""
        self._begin(what, count)
        timings = []
        for event in islice(events, count):
            if reset:
                await asyncio.to_thread(self._reset_champion, event)
            self._stack.check()
            timings.append(await self._incidents.one(event))
            self._display.advance()
        return timings, event

    def _reset_champion(self, event: DriftEvent) -> None:
        """The first version again, so that each incident finds a better one."""
        registry = self._stack.registry
        served = registry.champion(MODEL)
        assert served is not None  # noqa: S101 - training made one
        if served.version != self._champion:
            key = compute_digest([event.id, "reset"])
            registry.set_champion(MODEL, self._champion, expected=served.version, key=key)

    async def _beside(self, calm: int, acting: int) -> None:
        """The bare workflow of either shape, one at a time."""
        figures = self.figures
        figures.bare_calm = await self._bare(shape_of(figures.calm_trails), calm)
        figures.bare_acting = await self._bare(shape_of(figures.acting_trails), acting)

    async def _bare(self, shape: Shape, count: int) -> list[float]:
        self._begin(f"bare workflows of {shape.activities} activities", count)
        seconds = []
        for _ in range(count):
            seconds.append(await self._peer.one(shape))
            self._display.advance()
        return seconds

    async def _saturate(self, event: DriftEvent, count: int) -> None:
        figures, advance = self.figures, self._display.advance
        self._begin("incidents at once", count)
        before = cpu_seconds()
        events = list(islice(again(event, "burst"), count))
        timings = await self._incidents.burst(events, told=advance)
        cpu = spent_since(before, count=count)
        troubles = await self._incidents.troubles(events)
        figures.burst = Burst.of(timings, cpu=cpu, troubles=troubles)
        self._begin("bare workflows at once", count)
        before = cpu_seconds()
        shape = shape_of(figures.calm_trails)
        figures.bare_seconds = await self._peer.burst(shape, count, told=advance)
        figures.bare_cpu = spent_since(before, count=count)

    def _begin(self, what: str, count: int) -> None:
        self._stack.check()
        self._display.show(f"{count} {what}" if count else what)
        self._display.expect(count)


@asynccontextmanager
async def everything(
    home: Path, display: ProgressDisplay
) -> AsyncIterator[tuple[BacktestStack, Incidents]]:
    """Stack, worker and bridge, and the peer's worker; all end with the block."""
    settings = _settings(home)
    async with BacktestStack(settings, progress=display.show) as stack:
        peer = start_child(
            [sys.executable, bare.__file__, stack.addresses.temporal],
            log=home / "logs" / "bare.log",
        )
        try:
            async with Redis.from_url(stack.addresses.redis) as redis:
                yield stack, Incidents(stack.client, redis, stream=settings.redis.stream)
        finally:
            await peer.stop()


def _settings(home: Path) -> Settings:
    """Everything embedded, whatever the environment says; policy questions as of the window."""
    return load_settings(analyst={"model": "analyst/rules"}).model_copy(
        update={
            "home": home,
            "mlflow_tracking_uri": None,
            "temporal": TemporalSettings(),
            "redis": RedisSettings(),
            "backtest": BacktestSettings(replay=True, approval_timeout=NOBODY_WAITS),
        }
    )


async def _measure(home: Path, console: Console, *, calm: int, acting: int, burst: int) -> None:
    with ProgressDisplay(console) as display:
        async with everything(home, display) as (stack, incidents):
            benchmark = Benchmark(stack, incidents, display=display)
            await benchmark.run(calm=calm, acting=acting, burst=burst)
            benchmark.figures.servers = await stack.read_server_versions()
    benchmark.figures.show(console)


def main(
    incidents: Annotated[int, typer.Option(min=2, help="Monitored ones, one at a time.")] = 50,
    acting: Annotated[int, typer.Option(min=2, help="That retrain and promote.")] = 10,
    burst: Annotated[int, typer.Option(min=2, help="Monitored ones at once.")] = 100,
) -> None:
    """Run the benchmark and print its figures."""
    with TemporaryDirectory(prefix="trimtab-benchmark-") as folder:
        policy = Path(folder) / "conf" / "local" / "policy.yml"
        policy.parent.mkdir(parents=True)
        policy.write_text(POLICY, encoding="utf-8")
        os.chdir(folder)  # where conf/local is looked up
        home = Path(folder) / "home"
        try:
            asyncio.run(_measure(home, Console(), calm=incidents, acting=acting, burst=burst))
        except (BacktestStackError, StackError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    typer.run(main)
