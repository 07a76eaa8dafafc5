"""What a comparison of two tables found, for a notebook, a pipeline or the command line."""

from html import escape
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, overload

from rich.console import Console

from trimtab.charts.comparison_view import build_comparison_view
from trimtab.charts.terminal import print_view
from trimtab.contracts.comparison import Comparison
from trimtab.contracts.drift import QualityFault, Severity
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.files.atomic_file import write_atomically

if TYPE_CHECKING:  # half a second to import, and the command line needs none of it
    import pandas as pd

_REPR_WIDTH: Final = 120
_NOTEBOOK_HEIGHT: Final = 640
"""Height of the page in a notebook's cell, in pixels."""


class ComparisonResult:
    """How a current table differs from a reference: what `trimtab.compare` returns."""

    __slots__ = ("_comparison", "_profiles")

    def __init__(
        self, comparison: Comparison, profiles: tuple[WindowProfile, WindowProfile]
    ) -> None:
        self._comparison = comparison
        self._profiles = profiles

    @property
    def comparison(self) -> Comparison:
        """The whole result as a record, in the form of docs/compare.schema.json."""
        return self._comparison

    @property
    def drifted(self) -> bool:
        """Whether a column drifted, or the current table has a grave fault.

        False if there is not enough data: see `enough`.
        """
        return self._comparison.drifted

    @property
    def enough(self) -> bool:
        """Whether both tables hold enough rows and values for a verdict."""
        return self._comparison.enough

    @property
    def corrupt(self) -> bool:
        """Whether the current table is so faulty that no model may be trained on it."""
        return self._comparison.corrupt

    @property
    def severity(self) -> Severity:
        """How much moved, from "low" to "high"; compares equal to these texts."""
        return self._comparison.severity

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        return self._comparison.why

    @property
    def faults(self) -> tuple[QualityFault, ...]:
        """Faults of the current table, the gravest first: `kind`, `column`, `detail`, `corrupt`."""
        return self._comparison.quality

    @property
    def left_out(self) -> dict[str, str]:
        """Columns of the reference that cannot be compared, each with the reason."""
        return dict(self._comparison.left_out)

    @property
    def columns(self) -> "pd.DataFrame":
        """One row for each compared column, those that drifted first.

        The columns are `column`, `kind` ("numeric" or "categorical"), `role` ("feature" or
        "target"), `drifted`, `psi` (population stability index in nats), `threshold` (PSI from
        which the column counts as drifted), `jensen_shannon` (0 to 1), `wasserstein` (in standard
        deviations of the reference; numeric columns only), `total_variation` (0 to 1; categorical
        columns only), `test` ("ks" or "chi2"), `statistic`, `p_value`, `adjusted_p_value` (for the
        number of columns), `reason`, `missing_reference` and `missing_current` (shares, 0 to 1),
        `mean_reference` and `mean_current`. A column with too few values has no figures, and the
        reason says so.
        """
        from trimtab.comparison.column_frames import list_comparisons  # noqa: PLC0415 - imports pandas

        return list_comparisons(self._comparison)

    def to_json(self) -> str:
        """Return the whole result as JSON, in the form of docs/compare.schema.json."""
        return self._comparison.model_dump_json(indent=2)

    @overload
    def to_html(self) -> str: ...

    @overload
    def to_html(self, path: str | PathLike[str]) -> None: ...

    def to_html(self, path: str | PathLike[str] | None = None) -> str | None:
        """Return the page that `trimtab compare --html` writes, or write it to a file.

        The page is one file: it needs no network and runs no script. Raises `OSError` if the file
        cannot be written.
        """
        from trimtab.charts.page import render_page  # noqa: PLC0415 - imports jinja2

        page = render_page(build_comparison_view(self._comparison), profiles=self._profiles)
        if path is None:
            return page
        write_atomically(Path(path), page)
        return None

    def _repr_html_(self) -> str:
        """Return the page for a notebook, in a frame of its own: its style stays inside."""
        page = escape(self.to_html(), quote=True)
        style = f"width:100%;height:{_NOTEBOOK_HEIGHT}px;border:0;resize:vertical"
        return f'<iframe sandbox srcdoc="{page}" style="{style}"></iframe>'

    def __repr__(self) -> str:
        """Return what the command line prints, without colours."""
        buffer = StringIO()
        console = Console(file=buffer, width=_REPR_WIDTH, color_system=None)
        print_view(build_comparison_view(self._comparison), console)
        return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())
