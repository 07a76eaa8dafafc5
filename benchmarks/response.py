"""Times the response to drift, from XADD to verdict and report, beside a bare Temporal workflow.

`.venv/bin/python benchmarks/response.py` runs the embedded stack with a real worker and bridge in a
temporary folder, and prints the figures. Ctrl-C ends all processes.
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

import bare_workflows
import typer
from bare_workflows import ActivityCounts, BareWorkflowTimer
from figures import Burst, Figures, compute_cpu_since, measure_cpu_seconds
from incidents import (
    IncidentRunner,
    IncidentTiming,
    build_harmless_event,
    count_activities,
    repeat_event,
)
from pydantic import TypeAdapter
from redis.asyncio import Redis
from rich.console import Console

from trimtab.adapters.event_keys import load_event_signer
from trimtab.cli.backtest.backtest_stack import BacktestStack, BacktestStackError
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent, Window
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.runtime.embedded.children import start_child
from trimtab.runtime.errors import StackError
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import BacktestSettings, RedisSettings, TemporalSettings

MODEL: Final = "birmingham-parking"
WINDOW: Final = {"start": "2016-12-06T00:00:00Z", "end": "2016-12-13T00:00:00Z"}
"""Window that raises an event, and on which a better champion can be trained."""
CALM_WINDOW: Final = {"start": "2016-10-25T00:00:00Z", "end": "2016-11-01T00:00:00Z"}
"""First window after the reference: the champion is as good in it as it was."""
_METRICS: Final = TypeAdapter(tuple[VersionMetric, ...])
POLICY: Final = "cooldown: PT0S\n"
"""Policy without a cooldown, so that one incident after the other may act."""
APPROVAL_TIMEOUT: Final = timedelta(seconds=5)
"""Time after which an incident that asks a person, because its deliberation failed, ends."""
WARM_UP_INCIDENTS: Final = 5
WARM_UP_RETRAININGS: Final = 2


class Benchmark:
    """One run, which measures in a fixed order."""

    def __init__(
        self, stack: BacktestStack, incidents: IncidentRunner, *, display: ProgressDisplay
    ) -> None:
        self._stack = stack
        self._incidents = incidents
        self._display = display
        self._bare = BareWorkflowTimer(stack.client)
        self._champion = ""
        self.figures = Figures()

    async def run(self, *, monitored: int, retrained: int, burst: int) -> None:
        """Run this many incidents of each kind, and fill in the figures."""
        event = await self._run_first_incident()
        harmless = await self._build_harmless_event(event)
        await self._warm_up(event, harmless)
        self.figures.retrained, last = await self._run_sequence(
            "incidents that retrain and promote",
            repeat_event(event, "retrained"),
            retrained,
            reset=True,
        )
        self.figures.retrained_histories = await self._incidents.read_histories(last)
        before = measure_cpu_seconds()
        self.figures.monitored, last = await self._run_sequence(
            "incidents that end as monitored",
            repeat_event(harmless, "monitored"),
            monitored,
        )
        self.figures.monitored_cpu = compute_cpu_since(before, count=monitored)
        self.figures.monitored_histories = await self._incidents.read_histories(last)
        await self._time_bare_workflows(monitored, retrained)
        await self._run_bursts(harmless, burst)

    async def _run_first_incident(self) -> DriftEvent:
        """Train, let the pipelines announce drift, and return the event of that incident."""
        self._display.show("training the champion")
        trained = await self._stack.pipelines.run("training", {"model": MODEL})
        self._champion = str(trained["version"])
        self._display.show("measuring a window that drifted")
        outputs = await self._stack.pipelines.run("monitoring", {"model": MODEL, **WINDOW})
        event = DriftEvent.model_validate(outputs["event"])
        self._display.show("the first incident, on a cold worker")
        self.figures.first = await self._incidents.await_end(event)
        return event

    async def _build_harmless_event(self, event: DriftEvent) -> DriftEvent:
        """Return an event about a calm window, with the metric that the champion has in it."""
        outputs = await self._stack.pipelines.run(
            "evaluation",
            {
                "model": MODEL,
                "versions": [self._champion],
                "as_of": CALM_WINDOW["end"],
                "slice": Slice.RECENT.value,
            },
        )
        (measured,) = _METRICS.validate_python(outputs["metrics"])
        window = Window.model_validate({**CALM_WINDOW, "rows": measured.rows})
        return build_harmless_event(event, window=window, metric=measured.value)

    async def _warm_up(self, event: DriftEvent, harmless: DriftEvent) -> None:
        retrained = repeat_event(event, "warm-up-retrained")
        await self._run_sequence(
            "warm-up incidents that retrain", retrained, WARM_UP_RETRAININGS, reset=True
        )
        monitored = repeat_event(harmless, "warm-up-monitored")
        _, last = await self._run_sequence(
            "warm-up incidents that end as monitored", monitored, WARM_UP_INCIDENTS
        )
        counts = count_activities(await self._incidents.read_histories(last))
        self._begin("warm-up bare workflows", WARM_UP_INCIDENTS)
        for _ in range(WARM_UP_INCIDENTS):
            await self._bare.time_one(counts)
            self._display.advance()

    async def _run_sequence(
        self, title: str, events: Iterator[DriftEvent], count: int, *, reset: bool = False
    ) -> tuple[list[IncidentTiming], DriftEvent]:
        """Run one incident after the other; return their timings and the last event."""
        self._begin(title, count)
        timings = []
        for event in islice(events, count):
            if reset:
                await asyncio.to_thread(self._reset_champion, event)
            self._stack.check()
            timings.append(await self._incidents.run_one(event))
            self._display.advance()
        return timings, event

    def _reset_champion(self, event: DriftEvent) -> None:
        """Restore the first version, so that each incident finds a better one."""
        registry = self._stack.registry
        served = registry.champion(MODEL)
        assert served is not None, "training made a champion"
        if served.version != self._champion:
            key = compute_digest([event.id, "reset"])
            registry.set_champion(MODEL, self._champion, expected=served.version, key=key)

    async def _time_bare_workflows(self, monitored: int, retrained: int) -> None:
        """Time bare workflows with the activities of either kind, one at a time."""
        figures = self.figures
        figures.bare_monitored = await self._time_bare_sequence(
            count_activities(figures.monitored_histories), monitored
        )
        figures.bare_retrained = await self._time_bare_sequence(
            count_activities(figures.retrained_histories), retrained
        )

    async def _time_bare_sequence(self, counts: ActivityCounts, number: int) -> list[float]:
        self._begin(f"bare workflows of {counts.activities} activities", number)
        seconds = []
        for _ in range(number):
            seconds.append(await self._bare.time_one(counts))
            self._display.advance()
        return seconds

    async def _run_bursts(self, event: DriftEvent, count: int) -> None:
        """Run incidents at once, then bare workflows at once."""
        figures, advance = self.figures, self._display.advance
        self._begin("incidents at once", count)
        before = measure_cpu_seconds()
        events = list(islice(repeat_event(event, "burst"), count))
        timings = await self._incidents.run_burst(events, on_end=advance)
        cpu = compute_cpu_since(before, count=count)
        failures = await self._incidents.count_failures(events)
        figures.burst = Burst.from_timings(timings, cpu=cpu, failures=failures)
        self._begin("bare workflows at once", count)
        before = measure_cpu_seconds()
        counts = count_activities(figures.monitored_histories)
        figures.bare_seconds = await self._bare.time_burst(counts, count, on_end=advance)
        figures.bare_cpu = compute_cpu_since(before, count=count)

    def _begin(self, title: str, count: int) -> None:
        self._stack.check()
        self._display.show(f"{count} {title}")
        self._display.expect(count)


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


async def _measure(
    home: Path, console: Console, *, monitored: int, retrained: int, burst: int
) -> None:
    with ProgressDisplay(console) as display:
        async with start_stack(home, display) as (stack, incidents):
            benchmark = Benchmark(stack, incidents, display=display)
            await benchmark.run(monitored=monitored, retrained=retrained, burst=burst)
            benchmark.figures.servers = await stack.read_server_versions()
    benchmark.figures.print_tables(console)


def main(
    monitored: Annotated[
        int, typer.Option("--incidents", min=2, help="Monitored incidents, one at a time.")
    ] = 50,
    retrained: Annotated[
        int, typer.Option("--acting", min=2, help="Incidents that retrain and promote.")
    ] = 10,
    burst: Annotated[int, typer.Option(min=2, help="Monitored incidents at once.")] = 100,
) -> None:
    """Run the benchmark and print its figures."""
    with TemporaryDirectory(prefix="trimtab-benchmark-") as folder:
        policy = Path(folder) / "conf" / "local" / "policy.yml"
        policy.parent.mkdir(parents=True)
        policy.write_text(POLICY, encoding="utf-8")
        os.chdir(folder)  # where conf/local is looked up
        home = Path(folder) / "home"
        try:
            asyncio.run(
                _measure(home, Console(), monitored=monitored, retrained=retrained, burst=burst)
            )
        except (BacktestStackError, StackError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    typer.run(main)
