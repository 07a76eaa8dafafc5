"""Attacks a real deployment, and counts the changes of its registry that nobody allowed.

`.venv/bin/python benchmarks/safety.py` runs hostile language models, events, Temporal clients and
people against worker, bridge and mint as they are shipped, with a real Temporal and a real MLflow.
Controls switch one gate after the other off, so that each attack is seen to succeed without it.
"""

import asyncio
import json
import logging
import sys
import warnings
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))
sys.path.insert(0, str(Path(__file__).parents[1]))

import typer
from attacked_deployment import Deployment, DeploymentError
from gate_controls import (
    CONTROLS,
    FORGEABLE,
    QUICK_CONTROLS,
    ControlResult,
    attack_limits,
    run_controls,
)
from hostile_calls import attack_by_calls
from hostile_clients import attack_by_hand
from hostile_events import attack_with_events
from hostile_incidents import attack_with_models, count_executed, run_honest_twins
from hostile_ollama import serve_hostile_models
from hostile_people import BulkResult, attack_by_people, judge_in_bulk
from hostile_workers import attack_by_workers
from incident_batches import KindResult
from rich.console import Console
from safety_figures import find_failures, print_tables, summarise
from strangers import run_stranger
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from trimtab.runtime.errors import StackError

PARTS: Final = ("twins", "clients", "workers", "people", "events", "models", "controls")
QUICK_EACH: Final = 2
_BULK_EACH: Final = 35
"""Questions that are answered in bulk: each in every false way, and once validly."""


class Run:
    """The results of one run, as far as it has come."""

    def __init__(self, console: Console, file: Path | None) -> None:
        self._console = console
        self._file = file
        self.kinds: list[KindResult] = []
        self.controls: list[ControlResult] = []
        self.bulk = BulkResult()
        self.bare_twins: list[KindResult] = []
        """The honest twins with every gate of the controls switched off."""

    async def take(self, results: AsyncIterator[KindResult]) -> None:
        """Keep results as they come."""
        async for each in results:
            self.add([each])

    def add(self, results: list[KindResult]) -> None:
        """Keep results, and say what they are."""
        self.kinds += results
        for each in results:
            endings = ", ".join(f"{count} {name}" for name, count in each.endings.items())
            self._console.print(
                f"{each.suite}: {each.kind}: {endings}; "
                f"{len(each.unauthorised)} unauthorised; "
                + (f"{each.stolen} tasks answered by a stranger; " if each.stolen else "")
                + f"{each.seconds:.0f} s",
                highlight=False,
            )
            for change in each.unauthorised:
                self._console.print(f"  UNAUTHORISED {change}", highlight=False, markup=False)
        if self._file is not None:
            self._file.write_text(_dump(self), encoding="utf-8")


async def measure(run: Run, *, parts: list[str], each: int, gates: list[str]) -> None:
    """Run the parts against one deployment."""
    with serve_hostile_models() as served, TemporaryDirectory(prefix="trimtab-safety-") as folder:
        async with (
            Deployment(Path(folder), ollama=served.address) as deployment,
            run_stranger(deployment.client),
        ):
            await _run_parts(run, deployment, parts=parts, each=each, gates=gates)


async def _run_parts(
    run: Run, deployment: Deployment, *, parts: list[str], each: int, gates: list[str]
) -> None:
    some = max(1, each // 4)
    if "twins" in parts:
        await run.take(run_honest_twins(deployment, each=max(2, some)))
    if "clients" in parts:
        await run.take(attack_by_hand(deployment, each=each))
        await run.take(attack_by_calls(deployment, each=some))
        await run.take(attack_limits(deployment, each=max(1, some // 4)))
    if "workers" in parts:
        await run.take(attack_by_workers(deployment, each=max(6, each)))
    if "people" in parts:
        run.bulk = judge_in_bulk(each=_BULK_EACH)
        await run.take(attack_by_people(deployment, each=max(1, each // 8)))
    if "events" in parts:
        await run.take(attack_with_events(deployment, each=each))
    if "models" in parts:
        await run.take(attack_with_models(deployment, each=max(QUICK_EACH, each // 3)))
    if "controls" in parts:
        run.controls = await run_controls(deployment, gates)
        if set(gates) == set(CONTROLS):
            await deployment.start_worker(without=[each for each in gates if each != FORGEABLE])
            twins = run_honest_twins(deployment, each=max(2, some))
            run.bare_twins = [each async for each in twins]
    late = deployment.oracle.judge_new_changes()
    if late:
        run.add([KindResult("all", "after the last attack", unauthorised=late)])


def main(
    each: Annotated[int, typer.Option(min=1, help="Incidents of each kind of attack.")] = 48,
    parts: Annotated[str, typer.Option(help="Comma-separated parts to run.")] = ",".join(PARTS),
    gates: Annotated[str, typer.Option(help="Comma-separated gates; all without it.")] = "",
    output: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few of each, in five minutes.")] = False,
) -> None:
    """Run the benchmark, print its figures, and fail if anything happened that nobody allowed."""
    _silence_strangers()
    chosen = parts.split(",")
    if unknown := set(chosen) - set(PARTS):
        sys.exit(f"no part is named {sorted(unknown)}: there are {', '.join(PARTS)}")
    named = gates.split(",") if gates else list(QUICK_CONTROLS if quick else CONTROLS)
    if unknown := set(named) - set(CONTROLS):
        sys.exit(f"no gate is named {sorted(unknown)}: there are {', '.join(CONTROLS)}")
    file = output.absolute() if output else None
    console = Console(width=120)
    run = Run(console, file)
    try:
        asyncio.run(measure(run, parts=chosen, each=QUICK_EACH if quick else each, gates=named))
    except (DeploymentError, StackError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if file is not None:
            file.write_text(_dump(run), encoding="utf-8")
    print_tables(
        console,
        summarise(run.kinds),
        bulk=run.bulk,
        controls=run.controls,
        bare_twins=count_executed(run.bare_twins),
    )
    failures = find_failures(run.kinds, bulk=run.bulk, controls=run.controls)
    sys.exit("\n".join(failures) if failures else 0)


def _silence_strangers() -> None:
    """Keep quiet about tasks that a stranger's worker takes and cannot do."""
    warnings.filterwarnings("ignore")
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    errors = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=errors))
    Runtime.set_default(Runtime(telemetry=telemetry))


def _dump(run: Run) -> str:
    return json.dumps(
        {
            "kinds": [each.to_json() for each in run.kinds],
            "bare_twins": [each.to_json() for each in run.bare_twins],
            "controls": [asdict(each) for each in run.controls],
            "bulk": asdict(run.bulk),
        },
        indent=1,
    )


if __name__ == "__main__":
    typer.run(main)
