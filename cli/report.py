"""Draws the report of a backtest in the terminal, and writes it as JSON."""

from collections.abc import Iterable
from pathlib import Path

import plotext
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.decision import Verdict
from contracts.report import BaselinePoint, IncidentSummary, MetricChange, RunReport

_COLOURS = {Verdict.EXECUTE: "green", Verdict.MONITOR: "cyan", Verdict.ESCALATE: "yellow"}
_CHART_HEIGHT = 14


def write_report(report: RunReport, path: Path) -> None:
    """Write the report as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def print_report(report: RunReport, console: Console) -> None:
    """Incidents, the metric with and without Trimtab, the audit, and plain notes."""
    console.print(_incidents(report.incidents))
    console.print(_chart(report.baseline, width=min(console.width, 100)))
    valid = "[green]verifies[/]" if report.audit_valid else "[red]DOES NOT VERIFY[/]"
    entries = sum(chain.entries for chain in report.audit)
    console.print(f"Audit chain {valid}: {len(report.audit)} incidents, {entries} entries.")
    for note in report.notes:
        console.print(f"[dim]•[/] {note}")


def _incidents(incidents: Iterable[IncidentSummary]) -> Table:
    table = Table(title="Incidents", show_lines=True, title_justify="left")
    for heading in ("window", "drifted", "cause", "verdict and rule", "action and ending"):
        table.add_column(heading, overflow="fold")
    for heading in ("metric before → after", "to verdict", "in all"):
        table.add_column(heading, justify="right", no_wrap=True)
    for incident in incidents:
        table.add_row(*_row(incident))
    if not table.row_count:
        table.caption = "No window raised an event."
    return table


def _row(incident: IncidentSummary) -> tuple[str | Text, ...]:
    drifted = "\n".join(f"{one.name} {one.size:.2f}" for one in incident.drifted[:4])
    more = len(incident.drifted) - 4
    sure = f" ({incident.confidence:.2f})" if incident.confidence is not None else ""
    return (
        f"{incident.window.start:%Y-%m-%d}\n{incident.window.end:%Y-%m-%d}",
        (drifted + (f"\n+{more} more" if more > 0 else "")) or "-",
        f"{incident.cause or '-'}{sure}",
        _verdict(incident),
        f"{incident.action or '-'}\n{incident.ending}",
        _metric(incident.metric),
        _seconds(incident.seconds_to_verdict),
        _seconds(incident.seconds_total),
    )


def _verdict(incident: IncidentSummary) -> Text:
    if incident.verdict is None:
        return Text("none", style="red")
    text = Text(incident.verdict.value, style=_COLOURS[incident.verdict])
    return text.append(f"\n{incident.rule}", style="dim")


def _metric(metric: MetricChange | None) -> str:
    if metric is None:
        return "-"
    if metric.before is None or metric.after is None:
        return f"{metric.name}\nnot verified"
    return f"{metric.before:.3f} → {metric.after:.3f}\n{metric.rows} rows"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _chart(baseline: tuple[BaselinePoint, ...], *, width: int) -> Text:
    """The metric per window: the first champion left alone, and the model served."""
    known = [point for point in baseline if point.untouched is not None]
    if not known:
        return Text("No labelled rows: nothing to draw.")
    places = list(range(1, len(known) + 1))
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, _CHART_HEIGHT)
    plotext.plot(places, [p.untouched for p in known], marker="braille", label="never touched")
    plotext.plot(places, [p.served for p in known], marker="hd", label="with Trimtab")
    plotext.xticks(places, [f"{point.start:%m-%d}" for point in known])
    plotext.title(f"{known[0].metric} per window (higher is better)")
    return Text.from_ansi(plotext.build())
