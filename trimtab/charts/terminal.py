"""Prints a view in the terminal: the verdict, data faults, and a bar for each column."""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trimtab.charts.views import FeatureView, View
from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault

_WIDE: Final = 100
"""Width of the terminal from which the reason stands beside the bar, and not below the table."""
_VERY_WIDE: Final = 130
"""Width from which bars are long."""
_NARROW: Final = 60
"""Width below which there is room for one figure."""
_MAX_COLUMNS: Final = 20
"""Columns shown if no more have drifted."""
_MAX_DRIFTED_COLUMNS: Final = 50
"""Columns shown if all of them have drifted."""
_MAX_FAULTS: Final = 20
_FULL_BAR: Final = 5.0
"""Multiple of the threshold at which a bar is full."""
_MAX_NAME_LENGTH: Final = 80
_LONG_DISTANCE: Final = 1000.0
"""Distance from which three significant figures are written."""
_SMALLEST_P: Final = 1e-4
"""p-value below which the figure itself is not written."""


def print_view(view: View, console: Console) -> None:
    """Print the whole view; readable from a width of 30 on, with or without a terminal."""
    style = "red" if view.alarming else "yellow" if view.unknown else "green"
    state = f"{view.state.capitalize()}: "
    console.print(Text.assemble((state, f"bold {style}"), escape_controls(view.summary)))
    if view.advice:
        console.print(Text.assemble(("Next: ", "bold"), escape_controls(view.advice)))
    for name, value in view.facts:
        console.print(Text.assemble((f"{name}: ", "dim"), escape_controls(value)))
    if view.faults:
        console.print()
        _print_faults(view.faults, console)
    if any(each.psi is not None for each in view.features):
        console.print()
        _print_features(view, console)


def format_p_value(p: float) -> str:
    """Return a p-value in four decimals; small ones as "<0.0001"."""
    return "<0.0001" if p < _SMALLEST_P else f"{p:.4f}"


def escape_controls(text: str) -> str:
    """Return data as text that cannot control the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _print_faults(faults: tuple[QualityFault, ...], console: Console) -> None:
    console.print(Text("Data faults", style="bold"))
    for fault in faults[:_MAX_FAULTS]:
        kind = (fault.kind.replace("_", " "), "bold red" if fault.corrupt else "yellow")
        column = f" {_shorten_name(fault.column)}" if fault.column else ""
        line = Text.assemble(kind, (column, "bold"), ": ", escape_controls(fault.detail))
        console.print(Padding(line, (0, 0, 0, 2), expand=False))
    if len(faults) > _MAX_FAULTS:
        console.print(Text(f"  … and {len(faults) - _MAX_FAULTS:,} more", style="dim"))


def _print_features(view: View, console: Console) -> None:
    shown = view.features[: max(_MAX_COLUMNS, min(len(view.drifted), _MAX_DRIFTED_COLUMNS))]
    console.print(_build_table(shown, console))
    if more := len(view.features) - len(shown):
        drifted = len(view.drifted) - sum(each.drifted for each in shown)
        line = f"  … and {more:,} more columns, {drifted:,} of them drifted"
        console.print(Text(line, style="dim"))
    if console.width < _WIDE:
        for feature in shown:
            if feature.drifted:
                name, reason = _shorten_name(feature.name), escape_controls(feature.explanation)
                console.print(Text.assemble((name, "bold"), ": ", reason))
    if view.legend:
        console.print(Text(view.legend, style="dim"))


def _build_table(features: tuple[FeatureView, ...], console: Console) -> Table:
    width = console.width
    wide, narrow = width >= _WIDE, width < _NARROW
    table = Table(box=None, padding=(0, 2, 0, 0), expand=False)
    table.add_column("column", overflow="fold", min_width=8, max_width=max(14, width // 4))
    table.add_column("", no_wrap=True)
    for heading in ("PSI",) if narrow else ("PSI", "distance", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("why", overflow="fold", min_width=20)
    length = 24 if width >= _VERY_WIDE else 16 if wide else 5 if narrow else 10
    blocks = (console.encoding or "").lower().startswith("utf")
    for feature in features:
        figures = _format_figures(feature)
        row = [_format_name(feature), _draw_bar(feature, length, blocks=blocks)]
        row.extend(figures[:1] if narrow else figures)
        if wide:
            style = "" if feature.drifted else "dim"
            row.append(Text(escape_controls(feature.explanation), style=style))
        table.add_row(*row)
    return table


def _format_name(feature: FeatureView) -> Text:
    role = feature.role
    suffix = "" if role is FeatureRole.FEATURE or role == feature.name else f" ({role.value})"
    name = _shorten_name(feature.name)
    return Text.assemble((name, "bold" if feature.drifted else ""), (suffix, "dim"))


def _shorten_name(name: str) -> str:
    """Return a column's name so that it fits into a few lines; JSON has all of it."""
    long = len(name) > _MAX_NAME_LENGTH
    return escape_controls(f"{name[: _MAX_NAME_LENGTH - 1]}…" if long else name)


def _draw_bar(feature: FeatureView, length: int, *, blocks: bool) -> Text:
    """Return PSI as a bar of that many characters, with a tick where drift begins."""
    full, rest, tick = ("█", "·", "│") if blocks else ("#", ".", "|")
    if feature.psi is None:
        return Text("too few values"[:length].ljust(length), style="dim")
    scale = _FULL_BAR * (feature.threshold or 1.0)
    filled = round(min(feature.psi / scale, 1.0) * length)
    filled = max(filled, 1) if feature.drifted else filled
    bar = full * filled + rest * (length - filled)
    position = round(length / _FULL_BAR)
    if filled <= position < length:
        bar = bar[:position] + tick + bar[position + 1 :]
    return Text(bar, style="red" if feature.drifted else "dim")


def _format_figures(feature: FeatureView) -> tuple[Text, Text, Text]:
    """Return PSI, distance and adjusted p-value, empty where a column was not compared."""
    numeric = feature.kind is FeatureKind.NUMERIC
    distance = feature.wasserstein if numeric else feature.total_variation
    unit = " sd" if numeric else " tv"
    form = ".3f" if distance is not None and distance < _LONG_DISTANCE else ".3g"
    return (
        Text("" if feature.psi is None else f"{feature.psi:.3f}"),
        Text("" if distance is None else f"{distance:{form}}{unit}"),
        Text("" if feature.p is None else format_p_value(feature.p)),
    )
