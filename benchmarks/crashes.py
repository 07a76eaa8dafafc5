"""Kills processes at every effect and at random, and counts what was lost, done twice or stuck.

    .venv/bin/python benchmarks/crashes.py points [--repeats 3]
    .venv/bin/python benchmarks/crashes.py storm [--quick] [--seed 1] [--without …]

`points` runs small incidents on a real MLflow whose worker dies before, during and after each
effect and each line of the audit log. `storm` runs the whole stack, each part a process of its
own. Everything is in a temporary folder.
"""

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))
sys.path.insert(0, str(Path(__file__).parents[1]))

import typer
from crash_events import MODELS_PER_EVENT, CrashEvents, write_configuration
from crash_oracle import Account, print_account, reconcile, settle_account
from crash_stack import CrashStack
from crash_storm import Storm, StormFigures, plan_kills
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from tests.chaos.crash_points import CrashMoment
from tests.chaos.crash_run import CrashRun, prepare_home, run_with_crashes
from tests.chaos.scenarios import SCENARIOS
from trimtab.adapters.event_keys import load_event_signer
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.runtime.settings import Settings, load_settings

QUICK_EVENTS: Final = 40
QUICK_KILLS: Final = 4
KILLED_IN_CONTROL: Final = {"acknowledgement": "bridge", "appendonly": "redis"}
"""The component that a control kills: the one whose promise it breaks."""
_STUCK_SECONDS: Final = 900.0
"""Time after which an incident with a dozen kills counts as stuck."""
application = typer.Typer(add_completion=False, no_args_is_help=True)


@application.command()
def points(
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each kind.")] = 3,
    at_once: Annotated[int, typer.Option(min=1, help="Runs at the same time.")] = 2,
    scenario: Annotated[list[str] | None, typer.Option(help="Only these incidents.")] = None,
) -> None:
    """Kill a worker before, during and after each effect, and before its acknowledgement."""
    console = Console()
    with TemporaryDirectory(prefix="trimtab-crash-points-") as folder:
        runs = asyncio.run(
            _run_points(Path(folder), repeats=repeats, at_once=at_once, only=scenario or [])
        )
    _print_points(runs, console)
    sys.exit(any(run.faults for run in runs))


async def _run_points(
    folder: Path, *, repeats: int, at_once: int, only: list[str]
) -> list[CrashRun]:
    template = folder / "template"
    open_tracking(Settings(home=template, mlflow_tracking_uri=None))
    turns = asyncio.Semaphore(at_once)

    async def run_one(scenario: str, moment: CrashMoment, number: int) -> CrashRun:
        async with turns:
            home = folder / f"{scenario}-{moment}-{number}"
            prepare_home(home, scenario, template=template / "mlflow.db")
            run = await run_with_crashes(scenario, moment, home, seconds=_STUCK_SECONDS)
            print(f"{scenario}, {moment}: {len(run.points)} kills, {run.faults or 'clean'}")
            return run

    kinds = [
        run_one(scenario, moment, number)
        for number in range(repeats)
        for scenario in only or SCENARIOS
        for moment in CrashMoment
    ]
    return await asyncio.gather(*kinds)


def _print_points(runs: list[CrashRun], console: Console) -> None:
    table = Table(title="Kills of a worker, by incident and moment", title_justify="left")
    for heading in ("incident", "moment", "runs", "kills", "points", "median s", "faults"):
        table.add_column(heading, justify="left" if heading in {"incident", "moment"} else "right")
    grouped: defaultdict[tuple[str, str], list[CrashRun]] = defaultdict(list)
    for run in runs:
        grouped[run.scenario, run.moment.value].append(run)
    for (scenario, moment), group in grouped.items():
        seconds = sorted(run.seconds for run in group)[len(group) // 2]
        names = {point for run in group for point in run.points}
        figures = (
            len(group), sum(len(run.points) for run in group), len(names), f"{seconds:.0f}",
            sum(len(run.faults) for run in group),
        )  # fmt: skip
        table.add_row(scenario, moment, *map(str, figures))
    console.print(table)
    counted = Counter(point for run in runs for point in run.points)
    rarest = min(counted.values(), default=0)
    console.print(f"{sum(counted.values())} kills; each point at least {rarest} times.")
    for run in runs:
        for fault in run.faults:
            console.print(f"- {run.scenario}, {run.moment}: {fault}", markup=False)


@application.command()
def storm(
    events: Annotated[int, typer.Option(min=2)] = 500,
    kills: Annotated[int, typer.Option(min=0)] = 20,
    seed: Annotated[int, typer.Option()] = 1,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="40 events and 4 kills.")] = False,
    without: Annotated[
        str, typer.Option(help="Control: acknowledgement (too early) or appendonly (of Redis).")
    ] = "",
    report: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
) -> None:
    """Kill worker, bridge, Temporal, Redis and MLflow at random while events arrive."""
    console = Console()
    count = (QUICK_EVENTS, QUICK_KILLS) if quick else (events, kills)
    report = report.absolute() if report else None
    with TemporaryDirectory(prefix="trimtab-crashes-") as name:
        os.chdir(name)  # where conf/local is looked up
        account, figures = asyncio.run(
            _run_storm(Path(name), console, count, seed=seed, without=without)
        )
    _print_storm(account, figures, console, seed=seed)
    if report:
        report.write_text(json.dumps(_list_figures(account, figures, seed=seed), indent=2))
    sys.exit(not account.is_clean)


async def _run_storm(
    folder: Path,
    console: Console,
    count: tuple[int, int],
    *,
    seed: int,
    without: str,
) -> tuple[Account, StormFigures]:
    events, number = count
    models = write_configuration(folder, models=max(1, events // MODELS_PER_EVENT))
    with ProgressDisplay(console) as display:
        async with _open_stack(folder, display, without=without) as (stack, settings):
            display.show("training the champions")
            source = CrashEvents(stack, models, progress=display.show)
            made = await source.build(events)
            await stack.open_front_doors()
            run = Storm(
                stack,
                made,
                signer=load_event_signer(settings),
                stream=settings.redis.stream,
                announced=source.announced,
                progress=display.show,
            )
            kills = plan_kills(number, seed=seed)
            if without:
                only = KILLED_IN_CONTROL[without]
                kills = [each._replace(component=only) for each in kills]
            figures = await run.run(kills)
            display.show("counting")
            async with Redis.from_url(stack.redis) as redis:
                account = await settle_account(settings, figures.accepted, redis)
            await asyncio.to_thread(reconcile, account, settings)
    return account, figures


@asynccontextmanager
async def _open_stack(
    folder: Path, display: ProgressDisplay, *, without: str
) -> AsyncIterator[tuple[CrashStack, Settings]]:
    stack = CrashStack(folder, progress=display.show, without=without)
    os.environ.update(stack.environment)
    async with stack:
        yield stack, load_settings()


def _print_storm(account: Account, figures: StormFigures, console: Console, *, seed: int) -> None:
    killed = Counter(component for _, component in figures.kills)
    title = f"{len(figures.accepted)} events, {len(figures.kills)} kills, seed {seed}"
    print_account(account, console, title=title)
    listed = ", ".join(f"{name} {count}" for name, count in killed.items())
    console.print(
        f"Killed: {listed or 'nothing'}. {figures.seconds:.0f} s in all; the last incident ended"
        f" {figures.recovery:.0f} s after everything was up again."
    )


def _list_figures(account: Account, figures: StormFigures, *, seed: int) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "kills": figures.kills,
        "seconds": figures.seconds,
        "recovery": figures.recovery,
        **vars(account),
    }


if __name__ == "__main__":
    application()
