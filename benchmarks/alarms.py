"""Counts false events on streams without drift, and how soon injected drift is announced.

`uv run python benchmarks/alarms.py` trains and watches models by the pipelines' own functions, and
shows the same windows to a test per column and to Evidently, in an environment of its own; it
prints tables in Markdown. The census comes from `--census FILE`, or from NannyML's wheel.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))  # benchmarks/detection.py would hide the room of that name

import numpy as np
import pandas as pd
import typer
from injections import INJECTIONS, Injection
from made_up import CASES, told
from peers import Verdict, evidently, raw_tests
from replay import Look, Watched
from rich.console import Console
from statsmodels.stats.proportion import proportion_confint
from streams import Stream, dealt_census, read_census, resampled_parking, yearly_census

PARKING: Final = Path(__file__).parents[1] / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
WEEKS_A_YEAR: Final = 365.25 / 7
BUDGET: Final = 4.0
"""False alarms a year in the made-up streams: one of them is the columns'."""
_PATIENCE: Final = 4
"""Windows that injected drift lasts."""
_PARTS: Final = ("made-up", "parking", "days", "dealt", "shuffled", "years", "injected")


_WITHOUT_CENSUS: Final = frozenset({"made-up", "parking", "days"})


@dataclass
class Counted:
    """What was said of some windows."""

    windows: int = 0
    announced: int = 0
    recorded: int = 0
    raw: int = 0
    any_column: int = 0
    dataset: int = 0
    asked: int = 0
    """Windows that Evidently was shown."""
    why: list[str] = field(default_factory=list)

    def add(self, look: Look, raw: Verdict) -> None:
        """One more window."""
        self.windows += 1
        self.announced += look.announced
        self.recorded += look.finding is not None
        self.raw += raw.any_column
        if look.announced:
            self.why.append(look.why)

    def add_evidently(self, verdicts: Sequence[Verdict]) -> None:
        """What it says of the same windows."""
        self.asked += len(verdicts)
        self.any_column += sum(each.any_column for each in verdicts)
        self.dataset += sum(each.dataset for each in verdicts)


class Benchmark:
    """What all parts share."""

    def __init__(self, console: Console, cache: Path, *, seed: int, peers: bool) -> None:
        self._console = console
        self._cache = cache
        self._peers = peers
        self.seed = seed

    def count(self, name: str, streams: Sequence[Stream]) -> Counted:
        """Every window of streams where nothing shall be announced."""
        counted = Counted()
        for number, stream in enumerate(streams, start=1):
            watched = self._train(name, stream)
            reference, shown = watched.told(stream.rows(watched.span)), []
            for place, span in enumerate(stream.spans, start=1):
                self._say(f"{name}: stream {number} of {len(streams)}: window {place}")
                rows = stream.rows(span)
                told = watched.told(rows)
                counted.add(watched.look(rows, span), raw_tests(reference, told))
                shown.append(told)
            counted.add_evidently(self._evidently(reference, shown))
        return counted

    def inject(self, stream: Stream, repeats: int) -> Iterator[tuple[Injection, "Caught"]]:
        """Every injection, in so many places of the stream."""
        watched = self._train("injected", stream)
        reference = watched.told(stream.rows(watched.span))
        pool = stream.table[stream.table["at"] >= watched.span.end].reset_index(drop=True)
        for injection in INJECTIONS:
            chance, caught, shown = np.random.default_rng(self.seed), Caught(), []
            for repeat in range(repeats):
                self._say(f"{injection.kind}, {injection.size}: {repeat + 1} of {repeats}")
                first, found = int(chance.integers(len(stream.spans) - _PATIENCE)), False
                for place in range(_PATIENCE):
                    span = stream.spans[first + place]
                    rows = injection.apply(stream.rows(span).reset_index(drop=True), pool, chance)
                    look = watched.look(rows, span)
                    found |= look.finding is not None
                    if place == 0:
                        told = watched.told(rows)
                        caught.at_once += found
                        caught.raw += raw_tests(reference, told).any_column
                        shown.append(told)
                    if look.announced:
                        caught.delays.append(place + 1)
                        break
                caught.found += found
                caught.repeats += 1
            caught.evidently = self._evidently(reference, shown)
            yield injection, caught

    def _train(self, name: str, stream: Stream) -> Watched:
        self._say(f"{name}: training")
        return Watched(stream.spec, stream.table, start=stream.start)

    def _evidently(self, reference: pd.DataFrame, shown: list[pd.DataFrame]) -> list[Verdict]:
        if not self._peers:
            return []
        self._say(f"Evidently: {len(shown)} windows")
        return evidently(reference, shown, self._cache)

    def _say(self, what: str) -> None:
        self._console.print(what, highlight=False)


@dataclass
class Caught:
    """What became of one injection."""

    repeats: int = 0
    at_once: int = 0
    """Found in the first window: recorded at least."""
    found: int = 0
    """Found in one of the windows looked at, up to the first announcement."""
    raw: int = 0
    delays: list[int] = field(default_factory=list)
    evidently: list[Verdict] = field(default_factory=list)


def rate(count: int, of: int) -> str:
    """A share with its Wilson interval (Wilson, 1927)."""
    if not of:
        return "not run"
    low, high = proportion_confint(count, of, method="wilson")
    return f"{count} of {of} ({count / of:.1%}; {low:.1%} to {high:.1%})"


def false_events(found: dict[str, Counted]) -> Iterator[str]:
    """The table of what was announced where nothing had changed, or nothing that hurts."""
    yield (
        "| stream | Trimtab announced | recorded, not announced | raw tests, p < 0.05 in a column"
        " | Evidently: a column | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|---|"
    for name, each in found.items():
        yield (
            f"| {name} | {rate(each.announced, each.windows)}"
            f" | {rate(each.recorded - each.announced, each.windows)}"
            f" | {rate(each.raw, each.windows)} | {rate(each.any_column, each.asked)}"
            f" | {rate(each.dataset, each.asked)} |"
        )


def made_up(years: int, seed: int, console: Console) -> Iterator[str]:
    """The table of years of made-up weeks, of which columns alone are told."""
    yield (
        "| days resemble the one before | reference, weeks | weeks watched | budget of the columns"
        " | index reached the threshold | drifted: floor and test too | KS, p < 0.05 in a column |"
    )
    yield "|---|---|---|---|---|---|---|"
    for case in CASES:
        console.print(f"made up: {case}", highlight=False)
        found = told(case, years, budget=BUDGET, seed=seed)
        yield (
            f"| {case.lasting:g} | {case.reference} | {found.weeks} | {found.chance:.2%}"
            f" | {rate(found.reached, found.weeks)} | {rate(found.announced, found.weeks)}"
            f" | {rate(found.tested, found.weeks)} |"
        )


def detections(found: Iterable[tuple[Injection, Caught]]) -> Iterator[str]:
    """The table of what was made of injected drift; found is recorded, announced or not."""
    yield (
        f"| drift | size | announced in the first window | within {_PATIENCE} windows"
        f" | mean delay, windows | found in the first | found within {_PATIENCE} | raw tests"
        " | Evidently: a column | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for injection, each in found:
        columns = sum(verdict.any_column for verdict in each.evidently)
        dataset = sum(verdict.dataset for verdict in each.evidently)
        delay = f"{np.mean(each.delays):.1f}" if each.delays else ""
        yield (
            f"| {injection.kind} | {injection.size}"
            f" | {rate(each.delays.count(1), each.repeats)}"
            f" | {rate(len(each.delays), each.repeats)} | {delay}"
            f" | {rate(each.at_once, each.repeats)} | {rate(each.found, each.repeats)}"
            f" | {rate(each.raw, each.repeats)}"
            f" | {rate(columns, len(each.evidently))} | {rate(dataset, len(each.evidently))} |"
        )


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    census: Annotated[Path | None, typer.Option(help="A Parquet file of the census.")] = None,
    only: Annotated[str, typer.Option(help=f"Parts, of {','.join(_PARTS)}.")] = ",".join(_PARTS),
    streams: Annotated[int, typer.Option(min=1, help="Years of car parks; deals.")] = 4,
    years: Annotated[int, typer.Option(min=1, help="Of each made-up stream.")] = 20,
    weeks: Annotated[int, typer.Option(min=1, help="Monitored in each year of car parks.")] = 52,
    repeats: Annotated[int, typer.Option(min=1, help="Of each injection.")] = 20,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    *,
    peers: Annotated[bool, typer.Option(help="Show the windows to Evidently too.")] = True,
) -> None:
    """Print the tables, ready for benchmarks/RESULTS.md."""
    console = Console(stderr=True)
    parts = [part for part in _PARTS if part in only.split(",")]
    if not parts:
        raise typer.BadParameter(f"--only {only!r}: there are {', '.join(_PARTS)}")  # noqa: EM102, TRY003 - one line
    cache = _cache()
    benchmark = Benchmark(console, cache, seed=seed, peers=peers)
    seeds = range(seed, seed + streams)
    table = read_census(census, cache) if set(parts) - _WITHOUT_CENSUS else pd.DataFrame()

    def parking(dependence: timedelta) -> list[Stream]:
        return [
            resampled_parking(PARKING, weeks=4 + weeks, dependence=dependence, seed=each)
            for each in seeds
        ]

    makers: dict[str, Callable[[], list[Stream]]] = {
        "parking": lambda: parking(timedelta(0)),
        "days": lambda: parking(timedelta(days=1)),
        "dealt": lambda: [dealt_census(table, rows=4000, reference=8, seed=s) for s in seeds],
        "shuffled": lambda: [yearly_census(table, shuffled=True, seed=each) for each in seeds],
        "years": lambda: [yearly_census(table, shuffled=False, seed=seed)],
    }
    names = {
        "parking": "car parks, days resampled",
        "days": "the same, with dependence: P1D",
        "dealt": "census, dealt to weeks",
        "shuffled": "census, years shuffled",
        "years": "census, real years",
    }
    if "made-up" in parts:
        for row in made_up(years, seed, console):
            print(row, flush=True)
    found = {}
    for part in parts:
        if part in makers:
            found[names[part]] = benchmark.count(names[part], makers[part]())
    if found:
        print("\n".join(false_events(found)), flush=True)
        _tell_budget(found)
    if "injected" in parts:
        stream = dealt_census(table, rows=2000, reference=10, seed=seed)
        print()
        for row in detections(benchmark.inject(stream, repeats)):
            print(row, flush=True)


def _tell_budget(found: dict[str, Counted]) -> None:
    for name, each in found.items():
        if "years" not in name:
            allowed = each.windows / WEEKS_A_YEAR
            print(f"\n{name}: {each.announced} events, the budget allows {allowed:.1f}.")
        for why in each.why:
            print(f"- {name}: announced: {why}")


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "trimtab" / "benchmarks"


if __name__ == "__main__":
    typer.run(main)
