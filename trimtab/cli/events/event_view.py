"""Prints a drift event for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trimtab.cli.console import print_unbroken
from trimtab.cli.window_option import format_time_range
from trimtab.contracts.drift import DriftEvent, DriftFinding, Window


def print_event(event: DriftEvent, console: Console) -> None:
    """Print the event's facts, and a table of its columns."""
    finding = event.data
    facts = {
        "model": finding.model,
        "detector": finding.detector,
        "window": _format_window(finding.current),
        "compared with": _format_window(finding.reference),
        "severity": finding.severity.value,
        **_list_performance(finding),
        "event": event.id,
    }
    for name, value in facts.items():
        print_unbroken(console, f"{name:<14}{value}")
    if not finding.features:
        return
    table = Table()
    for heading in ("column", "kind", "role", "drifted", "why"):
        table.add_column(heading, overflow="fold")
    for each in finding.features:
        drifted = Text("drifted", style="red") if each.drifted else Text("no")
        why = each.why or f"PSI {each.psi:.3f}"
        table.add_row(Text(each.name), each.kind.value, each.role.value, drifted, Text(why))
    console.print(table)


def _list_performance(finding: DriftFinding) -> dict[str, str]:
    lines = {}
    if each := finding.performance:
        change = f"{each.metric} {each.reference:.3f} → {each.current:.3f}"
        lines["realised"] = f"{change} {_format_rows(each.rows, degraded=each.degraded)}"
    if guess := finding.estimate:
        change = f"{guess.metric} {guess.reference:.3f} → {guess.estimated:.3f}"
        lines["estimated"] = f"{change} {_format_rows(guess.rows, degraded=guess.degraded)}"
    return lines


def _format_rows(rows: int, *, degraded: bool) -> str:
    return f"on {rows:,} rows ({'degraded' if degraded else 'not degraded'})"


def _format_window(window: Window) -> str:
    rows = f"{window.rows:,}" if window.rows else "unknown"
    return f"{format_time_range(window.start, window.end)}, rows {rows}"
