"""Stores and prints the figures of a benchmark: percentiles, ratios, histories, CPU time."""

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
from incidents import IncidentTiming, WorkflowHistory, count_activities
from rich.console import Console
from rich.table import Table

TARGET_SECONDS: Final = 1.0
TARGET_RATE: Final = 4.0
TARGET_EVENTS: Final = 150
TARGET_BYTES: Final = 200_000
_COMPONENTS: Final = {
    "worker.py": "worker",
    "starter.py": "bridge",
    "bare_workflows.py": "bare worker",
    "start-dev": "Temporal",
    "--appendonly": "stream",
}
"""Word in a process's command line to the component that it belongs to."""
_PACKAGES: Final = ("trimtab", "temporalio", "temporalio-google-adk", "google-adk", "mlflow")

CpuSeconds = Mapping[str, float]
"""Name of a component to its seconds of CPU time."""


def measure_cpu_seconds() -> CpuSeconds:
    """Return the CPU time of every component until now; the worker's children run pipelines."""
    used: defaultdict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            used[_find_component(process)] += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return used


def compute_cpu_since(before: CpuSeconds, *, count: int) -> CpuSeconds:
    """Return the CPU time since an earlier measurement, per incident."""
    now = measure_cpu_seconds()
    return {name: (seconds - before.get(name, 0.0)) / count for name, seconds in now.items()}


class MachineSeconds(NamedTuple):
    """Seconds of all cores together."""

    busy: float
    total: float


def measure_machine_seconds() -> MachineSeconds:
    """Return what all cores have spent until now."""
    times = psutil.cpu_times()
    return MachineSeconds(sum(times) - times.idle - times.iowait, sum(times))


def compute_share_of_others(machine: MachineSeconds, before: CpuSeconds) -> float:
    """Return the share of all cores that other programs have used since two measurements."""
    now = measure_machine_seconds()
    ours = sum(measure_cpu_seconds().values()) - sum(before.values())
    return max(0.0, (now.busy - machine.busy - ours) / (now.total - machine.total))


def _find_component(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    if "multiprocessing" in words:
        return "pipelines" if "worker.py" in _join_command(process.parent()) else "benchmark"
    return next((name for word, name in _COMPONENTS.items() if word in words), "benchmark")


def _join_command(process: psutil.Process | None) -> str:
    return " ".join(process.cmdline()) if process else ""


class Burst(NamedTuple):
    """Figures of many incidents at once."""

    timings: Sequence[IncidentTiming]
    seconds: float
    """From the first XADD to the last end."""
    cpu: CpuSeconds
    """CPU time per incident."""
    failures: Counter[str]
    """Number of failures and retries by message."""
    others: float
    """Share of the machine's cores that other programs took meanwhile."""

    @classmethod
    def from_timings(
        cls,
        timings: Sequence[IncidentTiming],
        *,
        cpu: CpuSeconds,
        failures: Counter[str],
        others: float,
    ) -> Self:
        """Compute the seconds that these incidents took together."""
        first = min(timing.published_at for timing in timings)
        last = max(timing.closed_at for timing in timings)
        return cls(timings, (last - first).total_seconds(), cpu, failures, others)

    def count_troubles(self, alone: Sequence[IncidentTiming]) -> int:
        """Return how many ended otherwise than those alone, and how much failed or was retried."""
        usual = {timing.ending for timing in alone}
        return self.failures.total() + sum(each.ending not in usual for each in self.timings)


class BareBurst(NamedTuple):
    """Bare workflows at once."""

    number: int
    seconds: float


@dataclass
class Figures:
    """Figures of one run, which are filled in while the benchmark runs."""

    first: IncidentTiming | None = None
    retrained: list[IncidentTiming] = field(default_factory=list)
    retrained_histories: list[WorkflowHistory] = field(default_factory=list)
    approved: IncidentTiming | None = None
    """An incident with a person and a retraining in it."""
    approved_histories: list[WorkflowHistory] = field(default_factory=list)
    monitored: list[IncidentTiming] = field(default_factory=list)
    monitored_cpu: CpuSeconds = field(default_factory=dict)
    monitored_histories: list[WorkflowHistory] = field(default_factory=list)
    bare_monitored: list[float] = field(default_factory=list)
    """Seconds of bare workflows with as many activities as a monitored incident."""
    bare_retrained: list[float] = field(default_factory=list)
    """Seconds of bare workflows with as many activities as a retrained incident."""
    bursts: list[Burst] = field(default_factory=list)
    bare_burst: BareBurst | None = None
    bare_cpu: CpuSeconds = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def print_tables(self, console: Console) -> None:
        """Print all figures."""
        assert self.first is not None, "figures are printed at the end"
        console.print(self._format_circumstances())
        console.print(
            f"The first incident, on a cold worker: {self.first.verdict:.2f} s to the verdict, "
            f"{self.first.report:.2f} s to the report. It and the warm-up are not counted below."
        )
        console.print(self._build_sequential_table(), self._build_burst_table())
        console.print(self._build_history_table(), self._build_cpu_table())

    def _format_circumstances(self) -> str:
        versions = {"python": platform.python_version()}
        versions |= {name: version(name) for name in _PACKAGES} | dict(self.servers)
        listed = ", ".join(f"{name} {number}" for name, number in versions.items())
        return (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, "
            f"{platform.machine()}, {psutil.virtual_memory().total / 2**30:.0f} GiB; "
            f"load average {self.load_before:.1f} at the start, {os.getloadavg()[0]:.1f} now.\n"
            f"{listed}."
        )

    def _build_sequential_table(self) -> Table:
        table = _build_table("One at a time, seconds", "", "n", "P50", "P95", "max", "P50 / bare")
        for kind, timings, bare in (
            ("monitored", self.monitored, self.bare_monitored),
            ("retrained", self.retrained, self.bare_retrained),
        ):
            verdicts = [timing.verdict for timing in timings]
            reports = [timing.report for timing in timings]
            _add_times(table, f"{kind}: XADD to verdict", verdicts, bare)
            _add_times(table, f"{kind}: XADD to report", reports, bare)
            _add_times(table, f"bare, activities of {kind}", bare)
        endings = _format_endings((*self.monitored, *self.retrained))
        table.caption = f"Target: verdict within {TARGET_SECONDS:g} s at P95. {endings}."
        return table

    def _build_burst_table(self) -> Table:
        assert self.bare_burst is not None, "figures are printed at the end"
        columns = ("", "seconds", "a second", "verdict P95", "report P95", "troubles", "others")
        table = _build_table("At once", *columns)
        for burst in self.bursts:
            self._add_burst(table, burst)
        count, seconds = self.bare_burst
        table.add_row(f"{count} bare workflows", f"{seconds:.1f}", f"{count / seconds:.2f}")
        sequential = mean(timing.tool_calls for timing in self.monitored)
        ratio = len(self.bursts[0].timings) / self.bursts[0].seconds * seconds / count
        table.caption = (
            f"Incidents / bare: {ratio:.2f} of the rate; tool calls one at a time"
            f" {sequential:.2f}. Target: {TARGET_RATE:g} a second, 0 troubles: a trouble is an"
            " ending that incidents alone do not have, a failure or a retry. Others: share of the"
            f" cores that other programs took. {' '.join(map(_describe_burst, self.bursts))}"
        )
        return table

    def _add_burst(self, table: Table, burst: Burst) -> None:
        timings, seconds = burst.timings, burst.seconds
        table.add_row(
            f"{len(timings)} incidents",
            f"{seconds:.1f}",
            f"{len(timings) / seconds:.2f}",
            f"{compute_percentile([timing.verdict for timing in timings], 95):.1f}",
            f"{compute_percentile([timing.report for timing in timings], 95):.1f}",
            str(burst.count_troubles(self.monitored)),
            f"{burst.others:.0%}",
        )

    def _build_history_table(self) -> Table:
        table = _build_table("Histories", "", "events", "KB", "activities", "local")
        for kind, histories in (
            ("monitored", self.monitored_histories),
            ("retrained", self.retrained_histories),
            ("approved", self.approved_histories),
        ):
            counts = count_activities(histories)
            for history in histories:
                _add_history(table, f"{kind}: {history.workflow}", history)
            total = WorkflowHistory(
                "incident",
                sum(history.events for history in histories),
                sum(history.size for history in histories),
                counts.activities,
                counts.local_activities,
            )
            _add_history(table, f"{kind}: together", total)
        ending = self.approved.ending if self.approved else "not at all"
        table.caption = (
            f"Target: {TARGET_EVENTS} events and {TARGET_BYTES // 1000} KB per incident. The one"
            f" that a person approved ended {ending}."
        )
        return table

    def _build_cpu_table(self) -> Table:
        columns = (self.monitored_cpu, *(burst.cpu for burst in self.bursts), self.bare_cpu)
        at_once = [f"{len(burst.timings)} at once" for burst in self.bursts]
        table = _build_table(
            "CPU time, ms per incident", "", "one at a time", *at_once, "bare, at once"
        )
        for name in (*_COMPONENTS.values(), "pipelines", "benchmark"):
            table.add_row(name, *(f"{column.get(name, 0.0) * 1000:.0f}" for column in columns))
        table.add_row("together", *(f"{sum(column.values()) * 1000:.0f}" for column in columns))
        return table


def compute_percentile(values: Sequence[float], rank: int) -> float:
    """Return a percentile, interpolated between the neighbouring values."""
    return quantiles(values, n=100, method="inclusive")[rank - 1]


def _format_endings(timings: Sequence[IncidentTiming]) -> str:
    counted = Counter(timing.ending for timing in timings)
    return "; ".join(f"{count} ended {ending}" for ending, count in counted.items())


def _format_failures(burst: Burst) -> str:
    return (
        "; ".join(f"{count} times {message}" for message, count in burst.failures.items()) or "none"
    )


def _describe_burst(burst: Burst) -> str:
    calls = mean(timing.tool_calls for timing in burst.timings)
    return (
        f"Of {len(burst.timings)}: {_format_endings(burst.timings)}; {calls:.2f} tool calls each;"
        f" failures: {_format_failures(burst)}."
    )


def _build_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _add_times(
    table: Table, name: str, values: Sequence[float], bare: Sequence[float] | None = None
) -> None:
    median = compute_percentile(values, 50)
    ratio = f"{median / compute_percentile(bare, 50):.1f}" if bare else ""
    figures = (f"{value:.2f}" for value in (median, compute_percentile(values, 95), max(values)))
    table.add_row(name, str(len(values)), *figures, ratio)


def _add_history(table: Table, name: str, history: WorkflowHistory) -> None:
    table.add_row(
        name,
        str(history.events),
        f"{history.size / 1000:.0f}",
        str(history.activities),
        str(history.local_activities),
    )
