"""Writes a comparison as a page: one file, no network, no script, for light and dark screens."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trimtab.charts.plots import Bars, Histogram, plot_of
from trimtab.charts.terminal import p_value
from trimtab.charts.views import FeatureView, View
from trimtab.detection.profiles.window_profile import OTHER_BIN, WindowProfile

DRAWN: Final = 40
"""Columns drawn where fewer have drifted; the others stand in the table alone."""
DRAWN_DRIFTED: Final = 200
LISTED: Final = 2000
"""Columns in the table."""
WIDTH: Final = 480
HEIGHT: Final = 150
"""Of a histogram, in its own units."""
_FULL_BAR: Final = 5.0
"""A bar of the table is full at this many thresholds."""
_MANY: Final = 1e4
_ENDLESS: Final = 1e12
"""From the one to the other numbers are written out, without a fraction."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A column with its plot."""

    feature: FeatureView
    plot: Histogram | Bars | None


def write_page(view: View, path: Path, *, profiles: tuple[WindowProfile, WindowProfile]) -> None:
    """Write the page whole or not at all; `profiles` are the reference's and the current one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(page(view, profiles=profiles), encoding="utf-8")
    unfinished.replace(path)


def page(view: View, *, profiles: tuple[WindowProfile, WindowProfile]) -> str:
    """The page as text: summary, faults, a table of all columns, and plots of the worst."""
    count = max(DRAWN, min(len(view.drifted), DRAWN_DRIFTED))
    drawn = [_drawn(feature, profiles) for feature in view.features[:count]]
    template = _environment().get_template("page.html")
    return template.render(
        view=view,
        listed=view.features[:LISTED],
        drawn=drawn,
        other=OTHER_BIN,
        width=WIDTH,
        height=HEIGHT,
    )


def _drawn(feature: FeatureView, profiles: tuple[WindowProfile, WindowProfile]) -> Drawn:
    before, now = (profile.find(feature.name) for profile in profiles)
    return Drawn(feature=feature, plot=plot_of(before, now) if before and now else None)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {"outline": outline, "figure": _figure, "percent": _percent, "p": p_value, "bar": _bar}
    )
    environment.tests["histogram"] = _is_histogram
    return environment


def outline(cells: tuple[float, ...], highest: float) -> str:
    """A histogram's outline as an SVG path, `highest` reaching the top."""
    step, top = WIDTH / len(cells), highest or 1.0
    moves = [f"M0 {HEIGHT}"]
    for place, share in enumerate(cells):
        moves.append(f"V{HEIGHT * (1.0 - share / top):.1f}H{step * (place + 1):.1f}")
    return "".join([*moves, f"V{HEIGHT}Z"])


def _is_histogram(plot: Any) -> bool:  # noqa: ANN401 - a template passes anything
    return isinstance(plot, Histogram)


def _figure(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    whole = _MANY <= abs(value) < _ENDLESS
    return f"{value:,.0f}{unit}" if whole else f"{value:.4g}{unit}"


def _percent(share: float) -> str:
    """A share as text that does not call a little nothing."""
    smallest = 0.0005
    return "<0.1 %" if 0 < share < smallest else f"{100 * share:.1f} %"


def _bar(feature: FeatureView) -> float:
    """Length of the bar in the table, 0 to 100."""
    scale = _FULL_BAR * (feature.threshold or 1.0)
    return round(min((feature.psi or 0.0) / scale, 1.0) * 100, 1)
