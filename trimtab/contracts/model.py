"""A monitored model: its configuration, its versions in the registry, and their metrics."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, field_validator, model_validator

from trimtab.contracts.base import Fraction, Name, NonNegativeDuration, Record
from trimtab.contracts.drift import FeatureKind, Window

MIN_MONITORING_INTERVAL: Final = timedelta(minutes=1)
"""Shortest interval between two checks of a model."""


class Task(StrEnum):
    """Kinds of predictions."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


class Tier(StrEnum):
    """Levels of the harm that a wrong action on the model can do."""

    EXPERIMENTAL = "experimental"
    STANDARD = "standard"
    CRITICAL = "critical"


class Feature(Record):
    """One input column of the model."""

    name: Name
    kind: FeatureKind
    minimum: float | None = None
    """Smallest value that makes sense, in the column's unit; None for no bound."""
    maximum: float | None = None
    """Largest value that makes sense, in the column's unit; None for no bound."""


class Costs(Record):
    """Costs of actions and of a degraded model, in one currency."""

    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    retraining: Decimal = Field(default=Decimal(5), ge=0)
    """Cost of one retraining run with its evaluation."""
    rollback: Decimal = Field(default=Decimal(1), ge=0)
    """Cost of moving the champion alias to an earlier version."""
    degradation_per_day: Decimal = Field(default=Decimal(50), ge=0)
    """Cost of a day on which the metric is one tolerance below the reference."""


class ReferencePeriod(StrEnum):
    """Data that a window is compared with."""

    TRAINING = "training"
    """The champion's training data."""
    PREVIOUS = "previous"
    """The window before."""
    SEASON = "season"
    """The window one season earlier."""


class Correction(StrEnum):
    """Methods of adjusting p-values for the number of columns."""

    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    """Limits the share of false discoveries (Benjamini and Hochberg, 1995)."""
    HOLM = "holm"
    """Limits the probability of a single false discovery (Holm, 1979)."""


class Sensitivity(Record):
    """Thresholds for drift: a column's effect must reach the floor, and its test must agree."""

    psi: float = Field(default=0.1, ge=0.0)
    """Floor of the population stability index, in nats. Below 0.1 is commonly called stable, from
    0.1 to 0.25 a moderate and above that a large shift (Siddiqi, 2006)."""
    outcome_psi: float = Field(default=0.01, ge=0.0)
    """Floor for the target and the predictions if their thresholds are calibrated, in nats. If
    five rows in a hundred change class, PSI is at least this (Pinsker, 1964; 0.04 for ten)."""
    p_value: Fraction = 0.01
    """Largest adjusted p-value that counts as significant."""
    correction: Correction = Correction.BENJAMINI_HOCHBERG
    auc: Fraction = 0.6
    """Area under the domain classifier's ROC curve from which whole rows count as drifted."""
    rows_compared: int = Field(default=20_000, ge=100)
    """Largest number of rows per side that the domain classifier uses."""


class ModelSpec(Record):
    """Configuration of a monitored model: the content of `conf/*/models/NAME.yml`."""

    name: Name
    """Name in the model registry."""
    task: Task
    dataset: Name
    """Kedro catalog entry of the model's history: features, target and timestamp in one table."""
    target: Name
    target_minimum: float | None = None
    """Smallest target value that makes sense; rows with a smaller one are dirty."""
    target_maximum: float | None = None
    prediction: Name | None = None
    """Column of the logged predictions; None if the champion predicts again."""
    trust_pickle: bool = False
    """Whether a version made elsewhere may be loaded although loading it runs its own code."""
    timestamp: Name
    """Column of the time of each row; naive times are read as UTC."""
    features: tuple[Feature, ...] = Field(min_length=1)
    time_features: tuple[str, ...] = ()
    """Features derived from the timestamp: "hour", "weekday", "month"."""
    ignored: dict[str, str] = Field(default_factory=dict)
    """Columns that are left out, each with the reason."""
    start: AwareDatetime | None = None
    """Start of the first window; None for midnight of the first row's day."""
    window: NonNegativeDuration
    """Length of one monitoring window."""
    monitored_every: NonNegativeDuration | None = None
    """Interval between two checks, such as an hour; each check is of the window that ends then. The
    false-alarm budget counts checks. None: the length of a window."""
    reference_windows: int = Field(ge=1)
    """Number of windows that the first champion is trained on."""
    label_delay: NonNegativeDuration
    """Time after a row until its true target is known."""
    dependence: NonNegativeDuration | None = None
    """Time within which rows are correlated, such as a day for sensor readings: the metric's
    standard error then counts such periods, not rows. None: estimated from the rows, by hour, day
    and week. Zero: rows are independent."""
    tier: Tier = Tier.STANDARD
    owner: str = ""
    """Person or team that is asked for a decision."""
    notify: tuple[Name, ...] = ()
    """Targets of the policy's `notify` that hear of this model; empty for all of them."""
    metric: Name
    """ "r2" for regression, "roc_auc" (two classes) or "balanced_accuracy" for classification."""
    tolerance: float = Field(default=0.02, gt=0.0)
    """Loss of the metric that is tolerated."""
    minimum_rows: int = Field(default=200, ge=1)
    """Smallest number of rows in a window that can raise an event."""
    segments: tuple[Name, ...] = ()
    """Categorical columns by whose values the metric is also measured; empty: all of them."""
    reference: ReferencePeriod = ReferencePeriod.TRAINING
    season: NonNegativeDuration = timedelta(days=7)
    """Period after which patterns recur, if the reference is the window one season earlier."""
    sensitivity: Sensitivity = Sensitivity()
    false_alarms_per_year: float = Field(default=1.0, gt=0.0)
    """Number of false events per year that this model's thresholds are calibrated for."""
    announcement_cooldown: NonNegativeDuration = timedelta(days=1)
    """Time in which the same drift is not announced again, unless its severity rises."""
    promotion_margin: float = Field(default=0.005, ge=0.0)
    """Margin by which a challenger must beat the champion's metric on the newest labelled rows."""
    gate_fraction: float = Field(default=0.2, gt=0.0, lt=0.5)
    """Share of the newest labelled window, by time, held out to compare challenger and champion."""
    verification_fraction: float = Field(default=0.2, gt=0.0, lt=0.5)
    """Share of the newest labelled window, by time, held out to verify what was done."""
    costs: Costs = Costs()

    @model_validator(mode="after")
    def _check_columns(self) -> "ModelSpec":
        names = [feature.name for feature in self.features]
        twice = {name for name in names if names.count(name) > 1}
        clash = {self.target, self.timestamp} & set(names)
        if twice or clash:
            msg = (
                f"columns {sorted(twice | clash)} are listed twice, or are also target or "
                "timestamp: list each feature once, and neither of these two"
            )
            raise ValueError(msg)
        return self

    @field_validator("monitored_every")
    @classmethod
    def _check_interval(cls, every: timedelta | None) -> timedelta | None:
        if every is not None and every < MIN_MONITORING_INTERVAL:
            msg = (
                f"monitored_every = {every}: use at least {MIN_MONITORING_INTERVAL}, because each "
                "check reads the rows of a window"
            )
            raise ValueError(msg)
        return every


class ModelVersion(Record):
    """One version of a registered model, as the registry holds it."""

    model: Name
    version: str
    created_at: AwareDatetime
    champion: bool = False
    """Whether the alias `champion` points at the version now."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Metrics logged at training time."""
    trained_on: Window | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class Slice(StrEnum):
    """Parts of the newest labelled window; none overlaps with the rows that were trained on."""

    RECENT = "recent"
    """All labelled rows of the newest window; a version trained on them must not be judged here."""
    GATE = "gate"
    """Rows held out from retraining, on which champion and challenger are compared."""
    VERIFICATION = "verification"
    """Rows that neither training nor the promotion gate has used."""


class VersionMetric(Record):
    """One version's metric on one slice of labelled rows."""

    version: str
    metric: Name
    value: float
    rows: int = Field(ge=0)
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the value; None if unknown."""


class PairedComparison(Record):
    """Two versions' metrics on the same labelled rows, with an interval of their difference."""

    champion: str
    challenger: str
    """The other version; empty for a challenger that is not registered."""
    metric: Name
    before: float
    """The champion's metric."""
    after: float
    """The challenger's metric."""
    error: float = Field(ge=0.0)
    """Standard error of `after - before`."""
    low: float
    """Lower end of the difference's interval; each end holds with 90 % confidence by itself."""
    high: float
    after_low: float
    """Lower end of the challenger's own interval."""
    after_high: float
    rows: int = Field(ge=0)
    rarest: int | None = None
    """Rows of the rarest class; None for a regression."""
    floor: float
    """The metric below which no challenger serves, however bad the champion is."""
    cross_fitted: bool = False
    """Whether some rows were judged by models that were trained without just these rows."""

    @property
    def difference(self) -> float:
        """How much better the challenger is than the champion."""
        return self.after - self.before

    def __str__(self) -> str:
        return f"{self.metric} {self.before:.4f} → {self.after:.4f} on {self.rows} rows"


class GateOutcome(StrEnum):
    """Answers of the comparison that decides whether a challenger becomes champion."""

    BETTER = "better"
    NOT_BETTER = "not_better"
    CANNOT_TELL = "cannot_tell"
    """The rows are too few to tell; a later window may show it."""


class UnscorableVersion(Record):
    """A version that could not be scored on the same rows as others, and why."""

    version: str
    reason: str = Field(max_length=400)
    """One line, for people and for evidence."""


class Distribution(Record):
    """Shares of a column's values in the reference and the current window, over the same bins."""

    feature: Name
    bins: tuple[str, ...]
    """Category names, or numeric intervals as text."""
    reference: tuple[Fraction, ...]
    current: tuple[Fraction, ...]


class SegmentMetric(Record):
    """The champion's metric on the rows of one category, before and now."""

    feature: Name
    segment: str
    metric: Name
    reference: float | None
    current: float | None
    rows: int
