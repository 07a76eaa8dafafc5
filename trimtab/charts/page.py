"""Renders a view as an HTML page: one file, no network, no script, for light and dark screens."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trimtab.charts.plots import Bars, Histogram, build_plot
from trimtab.charts.terminal import format_p_value
from trimtab.charts.views import FeatureView, View
from trimtab.detection.profiles.window_profile import OTHER_BIN, WindowProfile
from trimtab.files.atomic_file import write_atomically

MAX_PLOTS: Final = 40
"""Columns with a plot if no more have drifted; the others are in the table only."""
MAX_DRIFTED_PLOTS: Final = 200
"""Columns with a plot if all of them have drifted."""
MAX_LISTED: Final = 2000
"""Columns in the table."""
WIDTH: Final = 480
"""Width of a histogram, in its own units."""
HEIGHT: Final = 150
"""Height of a histogram, in its own units."""
_FULL_BAR: Final = 5.0
"""Multiple of the threshold at which a bar of the table is full."""
_MIN_WHOLE: Final = 1e4
"""Figure from which no fraction is written."""
_MAX_WHOLE: Final = 1e12
"""Figure from which powers of ten are written."""
_SMALLEST_SHARE: Final = 0.0005
"""Share below which the figure itself is not written."""


@dataclass(frozen=True, kw_only=True)
class PlottedFeature:
    """A column with its plot."""

    feature: FeatureView
    plot: Histogram | Bars | None


def write_page(view: View, path: Path, *, profiles: tuple[WindowProfile, WindowProfile]) -> None:
    """Write the page whole or not at all; see `render_page`. Raises `OSError`."""
    write_atomically(path, render_page(view, profiles=profiles))


def render_page(view: View, *, profiles: tuple[WindowProfile, WindowProfile]) -> str:
    """Return the page: summary, faults, a table of all columns, and plots of the worst.

    `profiles` are those of the reference and of the current table, over the same bins.
    """
    count = max(MAX_PLOTS, min(len(view.drifted), MAX_DRIFTED_PLOTS))
    template = _load_environment().get_template("page.html")
    return template.render(
        view=view,
        listed=view.features[:MAX_LISTED],
        plotted=[_plot_feature(feature, profiles) for feature in view.features[:count]],
        other=OTHER_BIN,
        width=WIDTH,
        height=HEIGHT,
    )


def _plot_feature(
    feature: FeatureView, profiles: tuple[WindowProfile, WindowProfile]
) -> PlottedFeature:
    before, now = (profile.find(feature.name) for profile in profiles)
    return PlottedFeature(feature=feature, plot=build_plot(before, now) if before and now else None)


@cache
def _load_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "outline": format_outline,
            "figure": _format_figure,
            "percent": _format_percent,
            "p": format_p_value,
            "bar": _compute_bar_length,
        }
    )
    environment.tests["histogram"] = _is_histogram
    return environment


def format_outline(cells: tuple[float, ...], highest: float) -> str:
    """Return a histogram's outline as an SVG path; a cell as high as `highest` reaches the top."""
    step, top = WIDTH / len(cells), highest or 1.0
    moves = [f"M0 {HEIGHT}"]
    for position, share in enumerate(cells, start=1):
        moves.append(f"V{HEIGHT * (1.0 - share / top):.1f}H{step * position:.1f}")
    return "".join([*moves, f"V{HEIGHT}Z"])


def _is_histogram(plot: Histogram | Bars | None) -> bool:
    return isinstance(plot, Histogram)


def _format_figure(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    whole = _MIN_WHOLE <= abs(value) < _MAX_WHOLE
    return f"{value:,.0f}{unit}" if whole else f"{value:.4g}{unit}"


def _format_percent(share: float) -> str:
    """Return a share in percent; a small one is not rounded to nothing."""
    return "<0.1 %" if 0 < share < _SMALLEST_SHARE else f"{100 * share:.1f} %"


def _compute_bar_length(feature: FeatureView) -> float:
    """Return the length of the bar in the table, 0 to 100."""
    scale = _FULL_BAR * (feature.threshold or 1.0)
    return round(min((feature.psi or 0.0) / scale, 1.0) * 100, 1)
