"""Renders a run's summary as an HTML page: one file, no network, no script."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.report.summary import RunSummary
from evals.report.text_table import list_figures, list_kind_rows
from evals.scores.scoreboard import Scoreboard
from trimtab.contracts.base import Record

_SHARES: Final = {
    "detected within 2 windows": "detected",
    "quiet where nothing is due": "quiet",
    "first action acceptable": "first_action",
    "events without a person": "without_person",
    "as good as never and always": "as_good",
    "not worse at the end": "not_worse_at_end",
}
"""Field of the scoreboard by what a bar is called."""


class ShareBar(Record):
    """One bar of the page."""

    name: str
    value: float
    low: float
    high: float


def write_scoreboard_page(summary: RunSummary, path: Path) -> None:
    """Write the page; raises `OSError`."""
    path.write_text(render_scoreboard_page(summary), encoding="utf-8")


def render_scoreboard_page(summary: RunSummary) -> str:
    """Return the page: all figures, plots of shares and confidence, and a table of the kinds."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("page.html").render(
        summary=summary,
        figures=list(list_figures(summary.total)),
        shares=_list_shares(summary.total),
        kinds=list(list_kind_rows(summary)),
    )


def _list_shares(board: Scoreboard) -> list[ShareBar]:
    found = {name: getattr(board, field) for name, field in _SHARES.items()}
    return [
        ShareBar(name=name, value=each.value, low=each.low, high=each.high)
        for name, each in found.items()
        if each.value is not None
    ]
