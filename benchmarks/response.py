"""Times the response to drift, from XADD to verdict and report, beside a bare Temporal workflow.

`.venv/bin/python benchmarks/response.py` runs the embedded stack with a real worker and bridge in a
temporary folder, and prints the figures. Ctrl-C ends all processes.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))

import typer
from bare_workflows import ActivityCounts, BareWorkflowTimer
from figures import (
    BareBurst,
    Burst,
    Figures,
    compute_cpu_since,
    compute_share_of_others,
    measure_cpu_seconds,
    measure_machine_seconds,
)
from incidents import (
    IncidentRunner,
    IncidentTiming,
    build_harmless_event,
    count_activities,
    repeat_event,
)
from measured_stack import start_stack
from pydantic import TypeAdapter
from rich.console import Console

from trimtab.cli.backtest.backtest_stack import BacktestStack, BacktestStackError
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.contracts.base import compute_digest
from trimtab.contracts.drift import DriftEvent, Window
from trimtab.contracts.model import Slice, VersionMetric
from trimtab.runtime.errors import StackError

MODEL: Final = "birmingham-parking"
WINDOW: Final = {"start": "2016-12-06T00:00:00Z", "end": "2016-12-13T00:00:00Z"}
"""Window that raises an event, and on which a better champion can be trained."""
CALM_WINDOW: Final = {"start": "2016-11-08T00:00:00Z", "end": "2016-11-15T00:00:00Z"}
"""Window after the autumn holiday: the first champion is at least as good in it as it was."""
_METRICS: Final = TypeAdapter(tuple[VersionMetric, ...])
POLICY: Final = "cooldown: PT0S\n"
"""Policy without a cooldown, so that one incident after the other may act."""
DEFAULT_BURSTS: Final = (100,)
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

    async def run(self, *, monitored: int, retrained: int, bursts: Sequence[int]) -> None:
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
        await self._run_approved(event)
        await asyncio.to_thread(self._reset_champion, event)  # the one that `harmless` names
        before = measure_cpu_seconds()
        self.figures.monitored, last = await self._run_sequence(
            "incidents that end as monitored",
            repeat_event(harmless, "monitored"),
            monitored,
        )
        self.figures.monitored_cpu = compute_cpu_since(before, count=monitored)
        self.figures.monitored_histories = await self._incidents.read_histories(last)
        await self._time_bare_workflows(monitored, retrained)
        await self._run_bursts(harmless, bursts)

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
        await asyncio.to_thread(self._reset_champion, event)
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

    async def _run_approved(self, event: DriftEvent) -> None:
        """Run an incident that a person approves, and that retrains."""
        self._begin("incident that a person approves", 1)
        await asyncio.to_thread(self._reset_champion, event)
        approved = next(repeat_event(event, "approved"))
        self.figures.approved = await self._incidents.run_approved(approved)
        self.figures.approved_histories = await self._incidents.read_histories(approved)

    def _reset_champion(self, event: DriftEvent) -> None:
        """Restore the first version, so that each incident finds a better one."""
        registry = self._stack.registry
        served = registry.champion(MODEL)
        assert served is not None, "training made a champion"
        if served.version != self._champion:
            key = compute_digest([event.id, served.version, "reset"])
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

    async def _run_bursts(self, event: DriftEvent, counts: Sequence[int]) -> None:
        """Run each number of incidents at once; then the first number of bare workflows at once."""
        figures, advance = self.figures, self._display.advance
        for count in counts:
            figures.bursts.append(await self._run_burst(event, count))
        self._begin("bare workflows at once", counts[0])
        before = measure_cpu_seconds()
        activities = count_activities(figures.monitored_histories)
        seconds = await self._bare.time_burst(activities, counts[0], on_end=advance)
        figures.bare_burst = BareBurst(counts[0], seconds)
        figures.bare_cpu = compute_cpu_since(before, count=counts[0])

    async def _run_burst(self, event: DriftEvent, count: int) -> Burst:
        self._begin("incidents at once", count)
        before, machine = measure_cpu_seconds(), measure_machine_seconds()
        events = list(islice(repeat_event(event, f"burst-{count}"), count))
        timings = await self._incidents.run_burst(events, on_end=self._display.advance)
        return Burst.from_timings(
            timings,
            cpu=compute_cpu_since(before, count=count),
            others=compute_share_of_others(machine, before),
            failures=await self._incidents.count_failures(events),
        )

    def _begin(self, title: str, count: int) -> None:
        self._stack.check()
        self._display.show(f"{count} {title}")
        self._display.expect(count)


async def _measure(
    home: Path, console: Console, *, monitored: int, retrained: int, bursts: Sequence[int]
) -> None:
    with ProgressDisplay(console) as display:
        async with start_stack(home, display) as (stack, incidents):
            benchmark = Benchmark(stack, incidents, display=display)
            await benchmark.run(monitored=monitored, retrained=retrained, bursts=bursts)
            benchmark.figures.servers = await stack.read_server_versions()
    benchmark.figures.print_tables(console)


def main(
    monitored: Annotated[
        int, typer.Option("--incidents", min=2, help="Monitored incidents, one at a time.")
    ] = 50,
    retrained: Annotated[
        int, typer.Option("--acting", min=2, help="Incidents that retrain and promote.")
    ] = 10,
    burst: Annotated[
        list[int] | None,
        typer.Option(min=2, help="Monitored incidents at once; may be given several times."),
    ] = None,
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
                _measure(
                    home,
                    Console(),
                    monitored=monitored,
                    retrained=retrained,
                    bursts=burst or DEFAULT_BURSTS,
                )
            )
        except (BacktestStackError, StackError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    typer.run(main)
