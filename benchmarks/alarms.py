"""Counts false events on streams without drift, and how soon injected drift is announced.

`.venv/bin/python benchmarks/alarms.py` trains and monitors models with the pipelines' own
functions, shows the same windows to a test per column and to Evidently (in an environment of its
own), and prints tables in Markdown. The census comes from `--census FILE`, or from NannyML's wheel.
Parts run in parallel; with `--keep FOLDER` an interrupted run continues where it stopped.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

sys.path.append(sys.path.pop(0))

import numpy as np
import typer
from compared_tools import find_cache
from detection_delay import DRIFT_WINDOWS, measure_delay
from drift_free_streams import STREAMS, WITHOUT_CENSUS, WITHOUT_REPEATS, count_events
from injections import INJECTIONS
from parallel_parts import BenchmarkPart, compute_parts
from peers import prepare_evidently
from rich.console import Console
from simulated_days import (
    FREQUENT_CASES,
    WEEKLY_CASES,
    FrequentChecks,
    WeeklyChecks,
    count_frequent_alarms,
    count_weekly_alarms,
)
from statsmodels.stats.proportion import proportion_confint
from streams import read_census

_SIMULATED: Final = ("simulated-weekly", "simulated-frequent")
_PARTS: Final = (*_SIMULATED, *STREAMS, "injected")
_DETECTORS: Final = ("columns", "rows", "realised", "estimated", "faults")

Counts = dict[str, Any]
"""Result of one part; the keys are those of a table's columns."""


def format_rate(number: int, total: int) -> str:
    """Return a share with its 95 % interval (Wilson, 1927); empty if there are no cases."""
    if not total:
        return ""
    low, high = proportion_confint(number, total, method="wilson")
    return f"{number} of {total} ({low:.1%} to {high:.1%})"


def format_false_events(results: Sequence[tuple[str, Counts]]) -> Iterator[str]:
    """Yield the table of events on streams without drift, beside those that are allowed."""
    yield (
        "| stream | windows | years | events allowed | announced"
        " | recorded, not announced | by columns, rows, realised, estimated, faults |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, each in results:
        detectors = ", ".join(str(each.get(detector, 0)) for detector in _DETECTORS)
        allowed = "" if "real" in name else f"{each['budget'] * each['years']:.1f}"
        yield (
            f"| {name} | {each['windows']} | {each['years']:.1f} | {allowed}"
            f" | {format_rate(each.get('announced', 0), each['windows'])}"
            f" | {each.get('held_back', 0)} | {detectors} |"
        )


def format_peer_comparison(results: Sequence[tuple[str, Counts]]) -> Iterator[str]:
    """Yield the table of windows with an event, beside the verdicts of other tools."""
    yield (
        "| stream | Trimtab announced | raw tests, p < 0.05 in a column | Evidently: a column"
        " | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|"
    for name, each in results:
        if each["tested"]:
            yield (
                f"| {name} | {format_rate(each.get('announced', 0), each['windows'])}"
                f" | {format_rate(each.get('raw', 0), each['tested'])}"
                f" | {format_rate(each['any_column'], each['judged'])}"
                f" | {format_rate(each['dataset'], each['judged'])} |"
            )


def format_weekly_alarms(results: Sequence[tuple[WeeklyChecks, Counts]]) -> Iterator[str]:
    """Yield the table of simulated years of weeks, judged by columns only."""
    yield (
        "| correlation of days | reference, weeks | weeks monitored | budget of the columns"
        " | PSI reached the threshold | drifted: floor and test too | KS, p < 0.05 in a column"
        " | threshold, median |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for case, each in results:
        weeks = each["weeks"]
        yield (
            f"| {case.correlation:g} | {case.reference_weeks} | {weeks} | {each['alpha']:.2%}"
            f" | {format_rate(each['reached'], weeks)} | {format_rate(each['announced'], weeks)}"
            f" | {format_rate(each['tested'], weeks)} | {each['threshold']:.2f} |"
        )


def format_frequent_alarms(results: Sequence[tuple[FrequentChecks, Counts]]) -> Iterator[str]:
    """Yield the table of simulated years in which weeks are checked daily or hourly."""
    yield (
        "| correlation of days | checks in a week | years | events of columns allowed"
        " | events, cooldown one day | checks that reached the threshold |"
    )
    yield "|---|---|---|---|---|---|"
    for case, each in results:
        yield (
            f"| {case.correlation:g} | {case.checks_per_week} | {each['years']}"
            f" | {each['allowed']:g} | {each['events']} | {each['reached']} of {each['checks']} |"
        )


def format_delays(results: Sequence[Counts]) -> Iterator[str]:
    """Yield the table of injected drift; recorded drift includes announced drift."""
    yield (
        "| drift | size | announced in the first window"
        f" | announced within {DRIFT_WINDOWS} windows | mean delay, windows"
        f" | recorded in the first | recorded within {DRIFT_WINDOWS} | raw tests"
        " | Evidently: a column | Evidently: the dataset |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for each in results:
        total, delays = each["repeats"], each["delays"]
        yield (
            f"| {each['kind']} | {each['size']} | {format_rate(delays.count(1), total)}"
            f" | {format_rate(len(delays), total)} | {f'{np.mean(delays):.1f}' if delays else ''}"
            f" | {format_rate(each['at_once'], total)} | {format_rate(each['found'], total)}"
            f" | {format_rate(each['raw'], total)}"
            f" | {format_rate(each['any_column'], each['judged'])}"
            f" | {format_rate(each['dataset'], each['judged'])} |"
        )


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    census: Annotated[Path | None, typer.Option(help="A Parquet file of the census.")] = None,
    only: Annotated[
        str, typer.Option(help=f"Parts to run, with commas between: {', '.join(_PARTS)}.")
    ] = ",".join(_PARTS),
    streams: Annotated[
        int, typer.Option(min=1, help="Number of streams of each kind, with seeds of their own.")
    ] = 4,
    years: Annotated[int, typer.Option(min=1, help="Years of each simulated stream.")] = 20,
    weeks: Annotated[
        int, typer.Option(min=1, help="Weeks monitored per stream of car parks.")
    ] = 52,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of each injection.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Parallel processes.")] = 2,
    keep: Annotated[
        Path | None, typer.Option(help="Folder that stores finished parts, and is read again.")
    ] = None,
    *,
    peers: Annotated[bool, typer.Option(help="Show the windows to Evidently too.")] = True,
) -> None:
    """Print the tables, ready for benchmarks/RESULTS.md."""
    console, cache = Console(stderr=True), find_cache()
    chosen = [part for part in _PARTS if part in only.split(",")]
    if not chosen:
        msg = f"--only {only!r} names no part: choose from {', '.join(_PARTS)}"
        raise typer.BadParameter(msg)
    needing_census = set(chosen) - WITHOUT_CENSUS - set(_SIMULATED)
    if needing_census and census is None:
        read_census(None, cache)  # once, before parallel processes do it
    if peers and set(chosen) - set(_SIMULATED):
        prepare_evidently(cache)
    shared = {"census": census, "cache": cache, "peers": peers}
    work = {
        "simulated-weekly": _list_weekly_parts(years, seed),
        "simulated-frequent": _list_frequent_parts(years, seed),
        "injected": [
            BenchmarkPart(
                name=f"injected-{number}-{seed}-{repeats}",
                work=measure_delay,
                arguments={"number": number, "seed": seed, "repeats": repeats, **shared},
            )
            for number in range(len(INJECTIONS))
        ],
    } | {part: _list_stream_parts(part, streams, weeks, seed, shared) for part in STREAMS}
    parts = [part for name in chosen for part in work[name]]
    found = compute_parts(parts, workers=workers, store=keep, console=console)
    results = {name: [found[part.name] for part in work[name]] for name in chosen}
    print("\n\n".join("\n".join(table) for table in _list_tables(results)))


def _list_tables(results: dict[str, list[Counts]]) -> Iterator[Iterator[str]]:
    streams = [
        (STREAMS[name][0], _add_counts(results[name])) for name in STREAMS if name in results
    ]
    if "simulated-weekly" in results:
        yield format_weekly_alarms(
            list(zip(WEEKLY_CASES, results["simulated-weekly"], strict=True))
        )
    if "simulated-frequent" in results:
        yield format_frequent_alarms(
            list(zip(FREQUENT_CASES, results["simulated-frequent"], strict=True))
        )
    if streams:
        yield format_false_events(streams)
        yield format_peer_comparison(streams)
        yield (f"- {name}: {why}" for name, each in streams for why in each["why"])
    if "injected" in results:
        yield format_delays(results["injected"])


def _add_counts(results: Sequence[Counts]) -> Counts:
    """Return the sums of the streams' counts; the budget is that of one stream."""
    keys = {key for each in results for key in each} - {"budget", "why"}
    sums: Counts = {key: sum(each.get(key, 0) for each in results) for key in keys}
    why = [reason for each in results for reason in each["why"]]
    return {**sums, "budget": results[0]["budget"], "why": why}


def _list_stream_parts(
    part: str, streams: int, weeks: int, seed: int, shared: Counts
) -> list[BenchmarkPart]:
    return [
        BenchmarkPart(
            name=f"{part}-{each}-{weeks}",
            work=count_events,
            arguments={"part": part, "seed": each, "weeks": weeks, **shared},
        )
        for each in range(seed, seed + (1 if part in WITHOUT_REPEATS else streams))
    ]


def _list_weekly_parts(years: int, seed: int) -> list[BenchmarkPart]:
    return [
        BenchmarkPart(
            name=f"simulated-weekly-{case.correlation:g}-{case.reference_weeks}-{seed}-{years}",
            work=count_weekly_alarms,
            arguments={"case": case, "years": years, "seed": seed},
        )
        for case in WEEKLY_CASES
    ]


def _list_frequent_parts(years: int, seed: int) -> list[BenchmarkPart]:
    return [
        BenchmarkPart(
            name=f"simulated-frequent-{case.correlation:g}-{case.checks_per_week}-{seed}-{years}",
            work=count_frequent_alarms,
            arguments={"case": case, "years": years, "seed": seed},
        )
        for case in FREQUENT_CASES
    ]


if __name__ == "__main__":
    typer.run(main)
