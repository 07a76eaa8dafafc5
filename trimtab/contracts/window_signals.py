"""Measurements on a window that tell root causes apart, beside drift, faults and the metric."""

from pydantic import Field

from trimtab.contracts.base import Count, Fraction, Name, Record


class Learnability(Record):
    """How well the newest labelled window can be learnt from its own rows.

    A changed world can be learnt; labels that are broken cannot.
    """

    value: float
    """Cross-validated metric of a fresh model of the window's rows, tested on other rows of it."""
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the value; None if unknown."""
    reference: float | None = None
    """The same figure on the reference's rows; None if unknown."""
    trivial: float
    """Metric of a model that knows only the target's distribution."""
    rows: Count
    """Labelled rows behind `value`."""


class SupportSplit(Record):
    """The champion's metric on rows like those it learnt from, and on others."""

    share_outside: Fraction
    """Share of the window's labelled rows that are unlike the training rows."""
    inside: float | None = None
    """Metric on the rows that are like them; None if they are too few."""
    outside: float | None = None
    """Metric on the others; None if they are too few."""
    inside_error: float | None = Field(default=None, ge=0.0)
    inside_reference: float | None = None
    """Metric to expect on rows like the training's; None if unknown."""


class ShadowChallenger(Record):
    """A model of the newest rows beside the champion, on rows that neither has learnt from."""

    champion: float
    challenger: float
    gain: float
    """Paired difference of the metric, challenger less champion."""
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the gain; None if unknown."""
    rows: Count
    """Rows compared on."""
    positives: Count | None = None
    """Rows of the rarer class among them; None for a regression."""


class SeasonalMatch(Record):
    """How far the window resembles the same season a period ago, and not the reference."""

    period_days: float = Field(gt=0.0)
    reference_psi: float = Field(ge=0.0)
    """Largest PSI against the reference, of the columns that moved."""
    season_psi: float = Field(ge=0.0)
    """Largest PSI of the same columns against the window one period earlier."""


class WindowSignals(Record):
    """Measurements on a window that tell causes apart; each is None if it could not be made."""

    learnability: Learnability | None = None
    support: SupportSplit | None = None
    challenger: ShadowChallenger | None = None
    season: SeasonalMatch | None = None
    new_category_share: Fraction | None = None
    """Share of rows with a category that the reference has not, while its own are still there."""
    released_windows_ago: Count | None = None
    """Windows since the champion was promoted over an earlier version; None if it never was."""
    regained: float | None = None
    """Share of the loss that the best earlier champion does not have on the same rows."""
    unmeasured: tuple[Name, ...] = Field(default=(), max_length=10)
    """What would have helped and could not be measured, such as "labels"."""
