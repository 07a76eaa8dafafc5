"""Draws a comparison in the terminal: what it comes to, faults, and a bar per column."""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trimtab.charts.views import FeatureView, View
from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault

_WIDE: Final = 100
"""Columns of text from which the reason stands beside the bar, and not below the table."""
_VERY_WIDE: Final = 130
_NARROW: Final = 60
"""Columns of text below which there is room for one figure."""
_SHOWN: Final = 20
"""Columns shown where fewer have drifted."""
_SHOWN_DRIFTED: Final = 50
_FAULTS_SHOWN: Final = 20
_FULL_BAR: Final = 5.0
"""A bar is full at this many thresholds."""
_LONGEST_NAME: Final = 80
_LONG: Final = 1000.0
"""Greater distances are written in three figures."""


def print_view(view: View, console: Console) -> None:
    """All of it; good from 30 columns on, with or without a terminal."""
    style = "red" if view.alarming else "yellow" if view.unknown else "green"
    state, rest = f"{view.state}: ", view.summary
    if rest.startswith(view.state):
        state, rest = rest[: len(view.state)], rest[len(view.state) :]
    console.print(Text.assemble((state.capitalize(), f"bold {style}"), plain(rest)))
    if view.advice:
        console.print(Text.assemble(("What now: ", "bold"), plain(view.advice)))
    for name, value in view.facts:
        console.print(Text.assemble((f"{name}: ", "dim"), plain(value)))
    if view.faults:
        console.print()
        _print_faults(view.faults, console)
    if any(each.psi is not None for each in view.features):
        console.print()
        _print_features(view, console)


def _print_faults(faults: tuple[QualityFault, ...], console: Console) -> None:
    console.print(Text("Faults of the data", style="bold"))
    for fault in faults[:_FAULTS_SHOWN]:
        kind = (fault.kind.replace("_", " "), "bold red" if fault.corrupt else "yellow")
        column = f" {_shortened(fault.column)}" if fault.column else ""
        line = Text.assemble(kind, (column, "bold"), ": ", plain(fault.detail))
        console.print(Padding(line, (0, 0, 0, 2), expand=False))
    if len(faults) > _FAULTS_SHOWN:
        console.print(Text(f"  … and {len(faults) - _FAULTS_SHOWN:,} more", style="dim"))


def _print_features(view: View, console: Console) -> None:
    shown = view.features[: max(_SHOWN, min(len(view.drifted), _SHOWN_DRIFTED))]
    console.print(_table(shown, console))
    if more := len(view.features) - len(shown):
        drifted = len(view.drifted) - sum(each.drifted for each in shown)
        told = f"  … and {more:,} more columns, {drifted:,} of them drifted"
        console.print(Text(told, style="dim"))
    if console.width < _WIDE:
        for feature in shown:
            if feature.drifted:
                console.print(
                    Text.assemble((_shortened(feature.name), "bold"), ": ", plain(feature.brief))
                )
    if view.legend:
        console.print(Text(view.legend, style="dim"))


def _table(features: tuple[FeatureView, ...], console: Console) -> Table:
    width = console.width
    wide, narrow = width >= _WIDE, width < _NARROW
    table = Table(box=None, padding=(0, 2, 0, 0), expand=False)
    table.add_column("column", overflow="fold", min_width=8, max_width=max(14, width // 4))
    table.add_column("", no_wrap=True)
    for heading in ("PSI",) if narrow else ("PSI", "distance", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("why", overflow="fold", min_width=20)
    cells = 24 if width >= _VERY_WIDE else 16 if wide else 5 if narrow else 10
    blocks = (console.encoding or "").lower().startswith("utf")
    for feature in features:
        figures = _figures(feature)
        row = [_name(feature), _bar(feature, cells, blocks=blocks)]
        row.extend(figures[:1] if narrow else figures)
        style = "" if feature.drifted else "dim"
        table.add_row(*row, *([Text(plain(feature.brief), style=style)] if wide else []))
    return table


def _name(feature: FeatureView) -> Text:
    role = feature.role
    told = "" if role is FeatureRole.FEATURE or role == feature.name else f" ({role.value})"
    return Text.assemble(
        (_shortened(feature.name), "bold" if feature.drifted else ""), (told, "dim")
    )


def _shortened(name: str) -> str:
    """A column's name in a few lines; JSON has all of it."""
    return plain(name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…")


def _bar(feature: FeatureView, cells: int, *, blocks: bool) -> Text:
    """PSI as a bar, with a tick where drift begins; full at five times that."""
    full, rest, tick = ("█", "·", "│") if blocks else ("#", ".", "|")
    if feature.psi is None:
        return Text("too few values"[:cells].ljust(cells), style="dim")
    scale = _FULL_BAR * (feature.threshold or 1.0)
    length = round(min(feature.psi / scale, 1.0) * cells)
    length = max(length, 1) if feature.drifted else length
    bar = full * length + rest * (cells - length)
    place = round(cells / _FULL_BAR)
    if length <= place < cells:
        bar = bar[:place] + tick + bar[place + 1 :]
    return Text(bar, style="red" if feature.drifted else "dim")


def _figures(feature: FeatureView) -> tuple[Text, Text, Text]:
    numeric = feature.kind is FeatureKind.NUMERIC
    distance = feature.wasserstein if numeric else feature.total_variation
    unit = " sd" if numeric else " tv"
    form = ".3f" if distance is not None and distance < _LONG else ".3g"
    return (
        Text("" if feature.psi is None else f"{feature.psi:.3f}"),
        Text("" if distance is None else f"{distance:{form}}{unit}"),
        Text("" if feature.p is None else p_value(feature.p)),
    )


def p_value(p: float) -> str:
    """Short: nobody needs more digits of a small one."""
    smallest = 1e-4
    return "<0.0001" if p < smallest else f"{p:.4f}"


def plain(text: str) -> str:
    """Data as text that cannot command the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
