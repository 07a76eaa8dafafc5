"""Draws the report of a backtest in the terminal, and writes it as JSON."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import plotext
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.contracts.decision import Verdict
from trimtab.contracts.report import BaselinePoint, IncidentSummary, MetricChange, RunReport

_COLOURS = {Verdict.EXECUTE: "green", Verdict.MONITOR: "cyan", Verdict.ESCALATE: "yellow"}
_CHART_HEIGHT = 14
_LEAST_RANGE = 0.04
"""Of the chart's axis: less would draw chance as mountains."""
_YEAR = timedelta(days=365)
_WIDE = 110
"""Columns that the table of incidents needs."""
_HEADINGS = (
    "window",
    "what drifted",
    "cause",
    "verdict and rule",
    "action and ending",
    "metric, verified",
    "verdict, all",
)


def write_report(report: RunReport, path: Path) -> None:
    """Write the report as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def print_report(report: RunReport, console: Console) -> None:
    """Incidents, the metric with and without Trimtab, the audit, and plain notes."""
    if report.incidents:
        console.print(_incidents(report.incidents, width=console.width))
    console.print(_chart(report.baseline, width=min(console.width, 100)))
    valid = "[green]verifies[/]" if report.audit_valid else "[red]DOES NOT VERIFY[/]"
    entries = sum(chain.entries for chain in report.audit)
    incidents = "1 incident" if len(report.audit) == 1 else f"{len(report.audit)} incidents"
    console.print(f"Audit chain {valid}: {incidents}, {entries} entries.")
    for note in report.notes:
        console.print(f"[dim]•[/] {note}")


def _incidents(incidents: Sequence[IncidentSummary], *, width: int) -> Table:
    """A row an incident; on a narrow terminal a block an incident."""
    return _wide(incidents) if width >= _WIDE else _narrow(incidents)


def _wide(incidents: Iterable[IncidentSummary]) -> Table:
    table = Table(title="Incidents", show_lines=True, title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for incident in incidents:
        table.add_row(*_row(incident))
    return table


def _narrow(incidents: Iterable[IncidentSummary]) -> Table:
    table = Table(title="Incidents", title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for incident in incidents:
        for heading, cell in zip(_HEADINGS, _row(incident), strict=True):
            table.add_row(heading, Text(", ").join(Text(str(cell)).split("\n")))
        table.add_section()
    return table


def _row(incident: IncidentSummary) -> tuple[str | Text, ...]:
    sure = f"\nconfidence {incident.confidence:.2f}" if incident.confidence is not None else ""
    return (
        f"{incident.window.start:%Y-%m-%d}\n{incident.window.end:%Y-%m-%d}",
        _drifted(incident),
        f"{incident.cause or 'unknown'}{sure}",
        _verdict(incident),
        f"{incident.action or '-'}\n{incident.ending}",
        _metric(incident.metric),
        f"{_seconds(incident.seconds_to_verdict)}\n{_seconds(incident.seconds_total)}",
    )


def _drifted(incident: IncidentSummary) -> str:
    lines = [f"{one.name} {one.effect} {one.size:.2f}" for one in incident.drifted[:4]]
    more = len(incident.drifted) - len(lines)
    loss = incident.performance
    lost = [f"{loss.metric} {loss.reference:.3f} → {loss.current:.3f}"] if loss else []
    return "\n".join([*lines, *([f"and {more} more"] if more else []), *lost])


def _verdict(incident: IncidentSummary) -> Text:
    if incident.verdict is None:
        return Text("none", style="red")
    text = Text(incident.verdict.value, style=_COLOURS[incident.verdict])
    return text.append(f"\n{(incident.rule or '').replace('_', ' ')}", style="dim")


def _metric(metric: MetricChange | None) -> str:
    if metric is None:
        return "-"
    if metric.before is None or metric.after is None:
        return f"{metric.name}\nnot verified"
    rows = f"{metric.rows} rows" if metric.rows else "at the gate only"
    return f"{metric.before:.3f} → {metric.after:.3f}\n{rows}"


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
    values = [value for p in known for value in (p.untouched, p.served) if value is not None]
    spare = max(0.0, _LEAST_RANGE - (max(values) - min(values))) / 2
    plotext.ylim(min(values) - spare, max(values) + spare)
    dated = "%m-%d" if known[-1].start - known[0].start < _YEAR else "%Y-%m"
    plotext.xticks(places, [f"{point.start:{dated}}" for point in known])
    plotext.title(f"{known[0].metric} per window (higher is better)")
    return Text.from_ansi(plotext.build())
