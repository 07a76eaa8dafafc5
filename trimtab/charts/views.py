"""What is shown of a comparison or of a model's finding, before it is drawn anywhere."""

from dataclasses import dataclass
from typing import Final

from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault

NOT_ENOUGH_DATA: Final = "not enough data"
"""State of a comparison that has no verdict."""
DISTANCE_UNITS: Final = (
    "Distance: Wasserstein in standard deviations (sd), or total variation (tv)."
)
COLUMNS_NAMED: Final = 5
"""Columns that one line names."""


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """One column, as it is shown."""

    name: str
    kind: FeatureKind
    role: FeatureRole
    drifted: bool
    why: str
    """Why it drifted or not, with the figures."""
    change: str = ""
    """What changed in a column that drifted; empty where unknown."""
    threshold: float
    """PSI from which the column counts as drifted."""
    psi: float | None
    """None where there were too few values to compare."""
    significant: bool | None = None
    """Whether the test rules out chance; None where unknown."""
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    """In standard deviations of the reference."""
    total_variation: float | None = None
    test: str = ""
    p: float | None = None
    """Adjusted for the number of columns."""
    impact: float | None = None
    """Estimated loss of the model's metric; None where unknown."""
    nulls: tuple[float, float] = (0.0, 0.0)
    """Share of missing values in the reference and in the current table."""
    means: tuple[float | None, float | None] = (None, None)
    """Mean in the reference and in the current table."""

    @property
    def explanation(self) -> str:
        """Why it drifted or not, for a reader who sees the figures beside it."""
        if self.psi is None or (self.drifted and not self.change):
            return self.why
        if self.drifted:
            return self.change
        if self.psi >= self.threshold:
            return "chance may explain it"
        if self.significant is None:
            return "too small to matter"
        return "significant, but too small to matter" if self.significant else "chance explains it"


@dataclass(frozen=True, kw_only=True)
class View:
    """One comparison, as it is shown: the worst comes first everywhere."""

    title: str
    state: str
    """In a word or two: "drift", "no drift", "corrupt", "not enough data"."""
    alarming: bool
    """Whether the state is bad news."""
    summary: str
    advice: str = ""
    """The next step for the reader; empty where nothing is to be done."""
    facts: tuple[tuple[str, str], ...]
    """Name and value, such as the number of rows."""
    origin: tuple[tuple[str, str], ...] = ()
    """Name and value of what only a later reader asks: when it was compared, and by what."""
    legend: str = ""
    """How to read the figures of the columns."""
    faults: tuple[QualityFault, ...]
    features: tuple[FeatureView, ...]

    @property
    def unknown(self) -> bool:
        """Whether there is no verdict."""
        return self.state == NOT_ENOUGH_DATA

    @property
    def drifted(self) -> tuple[FeatureView, ...]:
        """The columns that drifted."""
        return tuple(feature for feature in self.features if feature.drifted)


def format_rows(count: int) -> str:
    """Return a number of rows with its noun, such as "2,000 rows"."""
    return "1 row" if count == 1 else f"{count:,} rows"
