"""Counts false events on streams without drift, and how soon injected drift is announced.

`.venv/bin/python benchmarks/alarms.py` trains and watches models by the pipelines' own functions,
and shows the same windows to a test per column and to Evidently, in an environment of its own; it
prints tables in Markdown. The census comes from `--census FILE`, or from NannyML's wheel. Parts
run side by side; with `--keep FOLDER` a run that was cut short goes on where it was.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

sys.path.append(sys.path.pop(0))

import numpy as np
import typer
from calm import STREAMS, WITHOUT_CENSUS, count
from caught import PATIENCE, catch
from injections import INJECTIONS
from made_up import CASES, OFTEN, Case, Often, told, told_often
from peers import ready
from rich.console import Console
from side_by_side import Part, computed
from statsmodels.stats.proportion import proportion_confint
from streams import read_census

_PARTS: Final = ("made-up", "often", *STREAMS, "injected")
_SENSES: Final = ("columns", "rows", "realised", "estimated", "faults")

Found = dict[str, Any]


def rate(number: int, of: int) -> str:
    """A share with its Wilson interval (Wilson, 1927)."""
    if not of:
        return ""
    low, high = proportion_confint(number, of, method="wilson")
    return f"{number} of {of} ({low:.1%} to {high:.1%})"


def budgets(found: Sequence[tuple[str, Found]]) -> Iterator[str]:
    """The table of events where nothing had changed, beside those allowed."""
    yield (
        "| stream | windows | years | events allowed | announced"
        " | recorded, not announced | by columns, rows, realised, estimated, faults |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, each in found:
        senses = ", ".join(str(each.get(sense, 0)) for sense in _SENSES)
        allowed = "" if "real" in name else f"{each['budget'] * each['years']:.1f}"
        yield (
            f"| {name} | {each['windows']} | {each['years']:.1f} | {allowed}"
            f" | {rate(each.get('announced', 0), each['windows'])}"
            f" | {each.get('held_back', 0)} | {senses} |"
        )


def beside_peers(found: Sequence[tuple[str, Found]]) -> Iterator[str]:
    """The table of windows that raised something, beside what others say of them."""
    yield (
        "| stream | Trimtab announced | raw tests, p < 0.05 in a column | Evidently: a column"
        " | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|"
    for name, each in found:
        if each["tested"]:
            yield (
                f"| {name} | {rate(each.get('announced', 0), each['windows'])}"
                f" | {rate(each.get('raw', 0), each['tested'])}"
                f" | {rate(each['any_column'], each['asked'])}"
                f" | {rate(each['dataset'], each['asked'])} |"
            )


def made_up(found: Sequence[tuple[Case, Found]]) -> Iterator[str]:
    """The table of years of made-up weeks, of which columns alone are told."""
    yield (
        "| days resemble the one before | reference, weeks | weeks watched | budget of the columns"
        " | index reached the threshold | drifted: floor and test too | KS, p < 0.05 in a column"
        " | threshold, median |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for case, each in found:
        weeks = each["weeks"]
        yield (
            f"| {case.lasting:g} | {case.reference} | {weeks} | {each['chance']:.2%}"
            f" | {rate(each['reached'], weeks)} | {rate(each['announced'], weeks)}"
            f" | {rate(each['tested'], weeks)} | {each['threshold']:.2f} |"
        )


def often(found: Sequence[tuple[Often, Found]]) -> Iterator[str]:
    """The table of made-up years in which weeks are looked at daily or hourly."""
    yield (
        "| days resemble the one before | looks in a week | years | events of columns allowed"
        " | events, cooldown one day | looks that reached the threshold |"
    )
    yield "|---|---|---|---|---|---|"
    for case, each in found:
        yield (
            f"| {case.lasting:g} | {case.looks} | {each['years']} | {each['allowed']:g}"
            f" | {each['events']} | {each['reached']} of {each['looks']} |"
        )


def detections(found: Sequence[Found]) -> Iterator[str]:
    """The table of what was made of injected drift; found is recorded, announced or not."""
    yield (
        "| drift | size | announced in the first window"
        f" | announced within {PATIENCE} windows | mean delay, windows | recorded in the first"
        f" | recorded within {PATIENCE} | raw tests | Evidently: a column"
        " | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for each in found:
        of, delays = each["repeats"], each["delays"]
        yield (
            f"| {each['kind']} | {each['size']} | {rate(delays.count(1), of)}"
            f" | {rate(len(delays), of)} | {f'{np.mean(delays):.1f}' if delays else ''}"
            f" | {rate(each['at_once'], of)} | {rate(each['found'], of)} | {rate(each['raw'], of)}"
            f" | {rate(each['any_column'], each['asked'])}"
            f" | {rate(each['dataset'], each['asked'])} |"
        )


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    census: Annotated[Path | None, typer.Option(help="A Parquet file of the census.")] = None,
    only: Annotated[str, typer.Option(help=f"Parts, of {','.join(_PARTS)}.")] = ",".join(_PARTS),
    streams: Annotated[int, typer.Option(min=1, help="Years of car parks; deals.")] = 4,
    years: Annotated[int, typer.Option(min=1, help="Of each made-up stream.")] = 20,
    weeks: Annotated[int, typer.Option(min=1, help="Monitored in each year of car parks.")] = 52,
    repeats: Annotated[int, typer.Option(min=1, help="Of each injection.")] = 20,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    keep: Annotated[
        Path | None, typer.Option(help="Where finished parts are kept, and found again.")
    ] = None,
    *,
    peers: Annotated[bool, typer.Option(help="Show the windows to Evidently too.")] = True,
) -> None:
    """Print the tables, ready for benchmarks/RESULTS.md."""
    console, cache = Console(stderr=True), _cache()
    chosen = [part for part in _PARTS if part in only.split(",")]
    if not chosen:
        raise typer.BadParameter(f"--only {only!r}: there are {', '.join(_PARTS)}")  # noqa: EM102, TRY003 - one line
    needing = set(chosen) - WITHOUT_CENSUS - {"made-up", "often"}
    if needing and census is None:
        read_census(None, cache)  # once, before processes do so side by side
    if peers and set(chosen) - {"made-up", "often"}:
        ready(cache)
    shared = {"census": census, "cache": cache, "peers": peers}
    work = {
        "made-up": _made_up(years, seed),
        "often": _often(years, seed),
        "injected": [
            Part(
                name=f"injected-{number}-{seed}-{repeats}",
                work=catch,
                arguments={"number": number, "seed": seed, "repeats": repeats, **shared},
            )
            for number in range(len(INJECTIONS))
        ],
    } | {part: _calm(part, streams, weeks, seed, shared) for part in STREAMS}
    parts = [part for name in chosen for part in work[name]]
    found = computed(parts, workers=workers, kept=keep, console=console)
    results = {name: [found[part.name] for part in work[name]] for name in chosen}
    print("\n\n".join("\n".join(table) for table in _tables(results)))


def _tables(results: dict[str, list[Found]]) -> Iterator[Iterator[str]]:
    calm = [(STREAMS[name][0], _together(results[name])) for name in STREAMS if name in results]
    if "made-up" in results:
        yield made_up(list(zip(CASES, results["made-up"], strict=True)))
    if "often" in results:
        yield often(list(zip(OFTEN, results["often"], strict=True)))
    if calm:
        yield budgets(calm)
        yield beside_peers(calm)
        yield (f"- {name}: {why}" for name, each in calm for why in each["why"])
    if "injected" in results:
        yield detections(results["injected"])


def _together(found: Sequence[Found]) -> Found:
    """Sums of the streams' counts; the budget is that of each."""
    keys = {key for each in found for key in each} - {"budget", "why"}
    sums: Found = {key: sum(each.get(key, 0) for each in found) for key in keys}
    why = [reason for each in found for reason in each["why"]]
    return {**sums, "budget": found[0]["budget"], "why": why}


def _calm(part: str, streams: int, weeks: int, seed: int, shared: Found) -> list[Part]:
    one = part in {"years", "daily"}  # there is one order of real years, and daily looks are many
    return [
        Part(
            name=f"{part}-{each}-{weeks}",
            work=count,
            arguments={"part": part, "seed": each, "weeks": weeks, **shared},
        )
        for each in range(seed, seed + (1 if one else streams))
    ]


def _made_up(years: int, seed: int) -> list[Part]:
    return [
        Part(
            name=f"made-up-{case.lasting:g}-{case.reference}-{seed}-{years}",
            work=told,
            arguments={"case": case, "years": years, "seed": seed},
        )
        for case in CASES
    ]


def _often(years: int, seed: int) -> list[Part]:
    return [
        Part(
            name=f"often-{case.lasting:g}-{case.looks}-{seed}-{years}",
            work=told_often,
            arguments={"case": case, "years": years, "seed": seed},
        )
        for case in OFTEN
    ]


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "trimtab" / "benchmarks"


if __name__ == "__main__":
    typer.run(main)
