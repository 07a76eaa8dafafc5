"""Draws the report of a backtest in the terminal, and writes it as JSON."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import plotext
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.console import print_wrapped
from trimtab.contracts.decision import Verdict
from trimtab.contracts.report import BaselinePoint, IncidentSummary, MetricChange, RunReport
from trimtab.files.atomic_file import write_atomically

_COLOURS = {
    Verdict.EXECUTE: "green",
    Verdict.MONITOR: "cyan",
    Verdict.NOTIFY: "magenta",
    Verdict.ESCALATE: "yellow",
}
_CHART_HEIGHT = 14
_MIN_AXIS_RANGE = 0.04
"""The shortest range of the chart's axis, so that noise is not drawn as large changes."""
_YEAR = timedelta(days=365)
_MIN_TABLE_WIDTH = 110
"""Columns of the terminal from which incidents are shown in a table."""
_HEADINGS = (
    "window",
    "what drifted",
    "cause",
    "verdict and rule",
    "action and ending",
    "metric, verified",
    "to verdict, to end",
)


def write_report(report: RunReport, path: Path) -> None:
    """Write the report as JSON, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, report.model_dump_json(indent=2) + "\n")


def print_report(report: RunReport, console: Console) -> None:
    """Print incidents, the metric with and without Trimtab, the audit, and notes."""
    if report.incidents:
        console.print(_build_incident_view(report.incidents, width=console.width))
    console.print(_draw_chart(report.baseline, width=min(console.width, 100)))
    valid = "[green]verifies[/]" if report.audit_valid else "[red]DOES NOT VERIFY[/]"
    entries = sum(chain.entries for chain in report.audit)
    incidents = "1 incident" if len(report.audit) == 1 else f"{len(report.audit)} incidents"
    console.print(f"Audit chain {valid}: {incidents}, {entries} entries.")
    for note in report.notes:
        print_wrapped(console, f"• {note}")


def _build_incident_view(incidents: Sequence[IncidentSummary], *, width: int) -> Table:
    """Return a row for each incident; on a narrow terminal, a block for each."""
    return _build_table(incidents) if width >= _MIN_TABLE_WIDTH else _build_blocks(incidents)


def _build_table(incidents: Iterable[IncidentSummary]) -> Table:
    table = Table(title="Incidents", show_lines=True, title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for incident in incidents:
        table.add_row(*_format_cells(incident))
    return table


def _build_blocks(incidents: Iterable[IncidentSummary]) -> Table:
    table = Table(title="Incidents", title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for incident in incidents:
        for heading, cell in zip(_HEADINGS, _format_cells(incident), strict=True):
            table.add_row(heading, Text(", ").join(Text(str(cell)).split("\n")))
        table.add_section()
    return table


def _format_cells(incident: IncidentSummary) -> tuple[str | Text, ...]:
    sure = f"\nconfidence {incident.confidence:.2f}" if incident.confidence is not None else ""
    return (
        f"{incident.window.start:%Y-%m-%d}\n{incident.window.end:%Y-%m-%d}",
        _format_drift(incident),
        f"{incident.cause or 'unknown'}{sure}",
        _format_verdict(incident),
        f"{incident.action or '-'}\n{incident.ending}",
        _format_metric(incident.metric),
        f"{_format_seconds(incident.seconds_to_verdict)}\n{_format_seconds(incident.seconds_total)}",
    )


def _format_drift(incident: IncidentSummary) -> str:
    lines = [f"{one.name} {one.effect} {one.size:.2f}" for one in incident.drifted[:4]]
    more = len(incident.drifted) - len(lines)
    loss = incident.performance
    lost = [f"{loss.metric} {loss.reference:.3f} → {loss.current:.3f}"] if loss else []
    return "\n".join([*lines, *([f"and {more} more"] if more else []), *lost])


def _format_verdict(incident: IncidentSummary) -> Text:
    if incident.verdict is None:
        return Text("none", style="red")
    text = Text(incident.verdict.value, style=_COLOURS[incident.verdict])
    return text.append(f"\n{(incident.rule or '').replace('_', ' ')}", style="dim")


def _format_metric(metric: MetricChange | None) -> str:
    if metric is None:
        return "-"
    if metric.before is None or metric.after is None:
        return f"{metric.name}\nnot verified"
    rows = f"{metric.rows} rows" if metric.rows else "at the gate only"
    return f"{metric.before:.3f} → {metric.after:.3f}\n{rows}"


def _format_seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _draw_chart(baseline: tuple[BaselinePoint, ...], *, width: int) -> Text:
    """Draw the metric of each window: of the first champion left alone, and of the served model."""
    known = [point for point in baseline if point.untouched is not None]
    if not known:
        return Text("No labelled rows: nothing to draw.")
    positions = list(range(1, len(known) + 1))
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, _CHART_HEIGHT)
    plotext.plot(positions, [p.untouched for p in known], marker="braille", label="first champion")
    plotext.plot(positions, [p.served for p in known], marker="hd", label="with Trimtab")
    values = [value for p in known for value in (p.untouched, p.served) if value is not None]
    spare = max(0.0, _MIN_AXIS_RANGE - (max(values) - min(values))) / 2
    plotext.ylim(min(values) - spare, max(values) + spare)
    dated = "%m-%d" if known[-1].start - known[0].start < _YEAR else "%Y-%m"
    plotext.xticks(positions, [f"{point.start:{dated}}" for point in known])
    plotext.title(f"{known[0].metric} per window (higher is better)")
    return Text.from_ansi(plotext.build())
