"""Turns a false-alarm budget, in events a year, into the false-positive rate of one check."""

from datetime import timedelta
from typing import Final

from pydantic import Field
from scipy import stats
from scipy.optimize import brentq

from trimtab.contracts.base import Record

YEAR: Final = timedelta(days=365.25)
DETECTORS: Final = 4
"""Detectors that share the false-alarm budget equally (Bonferroni, 1936)."""


class CalibrationPlan(Record):
    """How blocks make up a window, and how often a window without drift may raise an alarm."""

    window: int = Field(ge=1)
    """Number of blocks in a window."""
    season: int = Field(default=1, ge=1)
    """Number of blocks in a season, such as 7 days; 1 if there is none."""
    matched: bool = False
    """Whether a window is compared with the same phases of the reference only."""
    lag: int = Field(default=0, ge=0)
    """Number of blocks by which the window that it is compared with begins earlier; 0 if it is
    compared with the whole reference."""
    windows_per_year: float = Field(gt=0.0)
    """Number of windows in a year if they do not overlap."""
    checks_per_window: float = Field(default=1.0, ge=1.0)
    """Number of checks in the length of a window: more than one if windows overlap."""
    repeats_per_window: float = Field(default=0.0, ge=0.0)
    """How often the same drift is announced again in the length of a window, while it lasts."""
    false_alarms_per_year: float = Field(gt=0.0)
    minimum_rows: int = Field(default=1, ge=1)
    """Rows that a window needs to be judged."""

    @property
    def alpha(self) -> float:
        """False-positive rate of one check by one detector; at most 0.5."""
        by_window = min(self.false_alarms_per_year / self.windows_per_year / DETECTORS, 0.5)
        return compute_alpha_per_check(
            by_window, checks=self.checks_per_window, repeats=self.repeats_per_window
        )


def compute_alpha_per_check(alpha: float, *, checks: float, repeats: float) -> float:
    """Return the false-positive rate of each check if all checks of a window together have `alpha`.

    Overlapping windows resemble each other. In the length of a window, a level of u standard
    deviations is newly exceeded u squared times as often as by one window that does not overlap
    (clumps of a process whose correlation falls linearly: Pickands, 1969; Aldous, 1989), and the
    drift is announced again `repeats` times, after each cooldown. The level is never exceeded more
    often than there are `checks` (Bonferroni, 1936).
    """

    def compute_alarm_rate(level: float) -> float:
        alarms = min(max(level * level + repeats, 1.0), checks)
        return alarms * float(stats.norm.sf(level))

    if checks <= 1.0:
        return alpha
    lowest, highest = (float(stats.norm.isf(each)) for each in (alpha, alpha / checks))
    level = brentq(lambda each: compute_alarm_rate(each) - alpha, lowest - 0.1, highest + 0.1)
    return float(stats.norm.sf(level))
