"""Holds what a benchmark measured and prints it: percentiles, ratios, histories, processor time."""

import os
import platform
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import mean, quantiles
from typing import Final, NamedTuple, Self

import psutil
from incidents import Timing, Trail, shape_of
from rich.console import Console
from rich.table import Table

AIM_SECONDS: Final = 2.0
AIM_EVENTS: Final = 150
AIM_BYTES: Final = 200_000
_PARTS: Final = {
    "worker.py": "worker",
    "starter.py": "bridge",
    "bare.py": "bare worker",
    "start-dev": "Temporal",
    "--appendonly": "stream",
}
"""What in a command line tells whose process it is."""
_PACKAGES: Final = ("trimtab", "temporalio", "temporalio-google-adk", "google-adk", "mlflow")

Cpu = Mapping[str, float]
"""Seconds of processor time by part."""


def cpu_seconds() -> Cpu:
    """What every part has used up to now; the worker's children run its pipelines."""
    used: defaultdict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            used[_part(process)] += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return used


def spent_since(before: Cpu, *, count: int) -> Cpu:
    """Since then, for each of so many."""
    now = cpu_seconds()
    return {part: (seconds - before.get(part, 0.0)) / count for part, seconds in now.items()}


def _part(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    if "multiprocessing" in words:
        return "pipelines" if "worker.py" in _command(process.parent()) else "benchmark"
    return next((part for mark, part in _PARTS.items() if mark in words), "benchmark")


def _command(process: psutil.Process | None) -> str:
    return " ".join(process.cmdline()) if process else ""


class Burst(NamedTuple):
    """Many incidents at once."""

    timings: Sequence[Timing]
    seconds: float
    """From the first XADD to the last end."""
    cpu: Cpu
    """For each incident."""
    troubles: Counter[str]
    """What went wrong on the way, and how often."""

    @classmethod
    def of(cls, timings: Sequence[Timing], *, cpu: Cpu, troubles: Counter[str]) -> Self:
        """What these took together."""
        first = min(timing.published_at for timing in timings)
        last = max(timing.closed_at for timing in timings)
        return cls(timings, (last - first).total_seconds(), cpu, troubles)


@dataclass
class Figures:
    """Filled while the benchmark runs."""

    first: Timing | None = None
    acting: list[Timing] = field(default_factory=list)
    acting_trails: list[Trail] = field(default_factory=list)
    calm: list[Timing] = field(default_factory=list)
    calm_cpu: Cpu = field(default_factory=dict)
    calm_trails: list[Trail] = field(default_factory=list)
    bare_calm: list[float] = field(default_factory=list)
    bare_acting: list[float] = field(default_factory=list)
    burst: Burst | None = None
    bare_seconds: float = 0.0
    bare_cpu: Cpu = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def show(self, console: Console) -> None:
        """All of it."""
        assert self.first is not None  # noqa: S101 - shown at the end
        console.print(self._circumstances())
        console.print(
            f"The first incident, on a cold worker: {self.first.verdict:.2f} s to the verdict, "
            f"{self.first.report:.2f} s to the report. It and the warm-up count nowhere else."
        )
        console.print(self._one_at_a_time(), self._at_once(), self._histories(), self._cpu())

    def _circumstances(self) -> str:
        parts = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
        named = ", ".join(f"{name} {number}" for name, number in {**parts, **self.servers}.items())
        return (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, "
            f"{platform.machine()}, {psutil.virtual_memory().total / 2**30:.0f} GiB; "
            f"load average {self.load_before:.1f} at the start, {os.getloadavg()[0]:.1f} now.\n"
            f"{named}."
        )

    def _one_at_a_time(self) -> Table:
        table = _table("One at a time, seconds", "", "n", "P50", "P95", "most", "P50 / bare")
        for kind, timings, bare in (
            ("monitored", self.calm, self.bare_calm),
            ("retrained", self.acting, self.bare_acting),
        ):
            verdicts = [timing.verdict for timing in timings]
            reports = [timing.report for timing in timings]
            _add_times(table, f"{kind}: XADD to verdict", verdicts, bare)
            _add_times(table, f"{kind}: XADD to report", reports, bare)
            _add_times(table, f"bare, shaped as {kind}", bare)
        endings = _endings((*self.calm, *self.acting))
        table.caption = f"Aim: verdict within {AIM_SECONDS:g} s at P95. {endings}."
        return table

    def _at_once(self) -> Table:
        assert self.burst is not None  # noqa: S101 - shown at the end
        timings, seconds, bare = self.burst.timings, self.burst.seconds, self.bare_seconds
        count = len(timings)
        table = _table(f"{count} at once", "", "seconds", "a second", "verdict P95", "report P95")
        table.add_row(
            "incidents",
            f"{seconds:.1f}",
            f"{count / seconds:.2f}",
            f"{percentile([timing.verdict for timing in timings], 95):.1f}",
            f"{percentile([timing.report for timing in timings], 95):.1f}",
        )
        table.add_row("bare workflows", f"{bare:.1f}", f"{count / bare:.2f}")
        looks = mean(timing.looks for timing in timings)
        usual = mean(timing.looks for timing in self.calm)
        table.caption = (
            f"Ours / bare: {bare / seconds:.2f} of the rate. Tool calls an incident: {looks:.2f}, "
            f"one at a time {usual:.2f}. {_endings(timings)}. Troubles: {_told(self.burst)}."
        )
        return table

    def _histories(self) -> Table:
        table = _table("Histories", "", "events", "KB", "activities", "local")
        for kind, trails in (("monitored", self.calm_trails), ("retrained", self.acting_trails)):
            shape = shape_of(trails)
            for trail in trails:
                _add_trail(table, f"{kind}: {trail.workflow}", trail)
            whole = Trail(
                "incident",
                sum(trail.events for trail in trails),
                sum(trail.size for trail in trails),
                shape.activities,
                shape.local_activities,
            )
            _add_trail(table, f"{kind}: together", whole)
        table.caption = f"Aim: {AIM_EVENTS} events and {AIM_BYTES // 1000} KB an incident."
        return table

    def _cpu(self) -> Table:
        assert self.burst is not None  # noqa: S101 - shown at the end
        columns = (self.calm_cpu, self.burst.cpu, self.bare_cpu)
        table = _table("Processor time, ms each", "", "one at a time", "at once", "bare, at once")
        for part in (*_PARTS.values(), "pipelines", "benchmark"):
            table.add_row(part, *(f"{column.get(part, 0.0) * 1000:.0f}" for column in columns))
        table.add_row("together", *(f"{sum(column.values()) * 1000:.0f}" for column in columns))
        return table


def percentile(values: Sequence[float], rank: int) -> float:
    """Interpolated between the values around it."""
    return quantiles(values, n=100, method="inclusive")[rank - 1]


def _endings(timings: Sequence[Timing]) -> str:
    counted = Counter(timing.ending for timing in timings)
    return "; ".join(f"{count} ended {ending}" for ending, count in counted.items())


def _told(burst: Burst) -> str:
    return "; ".join(f"{count} times {what}" for what, count in burst.troubles.items()) or "none"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


def _add_times(
    table: Table, name: str, values: Sequence[float], bare: Sequence[float] | None = None
) -> None:
    middle = percentile(values, 50)
    ratio = f"{middle / percentile(bare, 50):.1f}" if bare else ""
    figures = (f"{value:.2f}" for value in (middle, percentile(values, 95), max(values)))
    table.add_row(name, str(len(values)), *figures, ratio)


def _add_trail(table: Table, name: str, trail: Trail) -> None:
    table.add_row(
        name,
        str(trail.events),
        f"{trail.size / 1000:.0f}",
        str(trail.activities),
        str(trail.local_activities),
    )
