"""A model under watch: what a person configures about it, and what the registry holds of it."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field, field_validator, model_validator

from trimtab.contracts.base import Fraction, Name, NonNegativeDuration, Record
from trimtab.contracts.drift import FeatureKind, Window

MIN_MONITORING_INTERVAL: Final = timedelta(minutes=1)
"""How often a model may be looked at."""


class Task(StrEnum):
    """What the model predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


class Tier(StrEnum):
    """How much harm a wrong action on the model can do."""

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
    """What things cost, in one currency."""

    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    retraining: Decimal = Field(default=Decimal(5), ge=0)
    """One retraining run with its evaluation."""
    rollback: Decimal = Field(default=Decimal(1), ge=0)
    """Moving the champion alias to an earlier version."""
    degradation_per_day: Decimal = Field(default=Decimal(50), ge=0)
    """A day of the model serving with its metric one tolerance below the reference."""


class ReferencePeriod(StrEnum):
    """What a window is compared with."""

    TRAINING = "training"
    """What the champion was trained on."""
    PREVIOUS = "previous"
    """The window before."""
    SEASON = "season"
    """The window one season earlier."""


class Correction(StrEnum):
    """How p-values are adjusted for the number of columns."""

    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    """Bounds the share of false discoveries (Benjamini and Hochberg, 1995)."""
    HOLM = "holm"
    """Bounds the chance of a single false discovery (Holm, 1979)."""


class Sensitivity(Record):
    """When a column counts as drifted: its effect must reach the floor, and its test agree."""

    psi: float = Field(default=0.1, ge=0.0)
    """Floor of the population stability index, in nats; below 0.1 is commonly called stable, from
    0.1 to 0.25 a moderate and above a large shift (Siddiqi, 2006)."""
    outcome_psi: float = Field(default=0.01, ge=0.0)
    """Floor for the target and the predictions where their thresholds are calibrated, in nats:
    when five rows in a hundred change class it is at least this (Pinsker, 1964; 0.04 for ten)."""
    p_value: Fraction = 0.01
    """Largest adjusted p-value."""
    correction: Correction = Correction.BENJAMINI_HOCHBERG
    auc: Fraction = 0.6
    """Area under the domain classifier's curve from which rows as a whole count as drifted."""
    rows_compared: int = Field(default=20_000, ge=100)
    """Most rows of each side that the domain classifier sees."""


class ModelSpec(Record):
    """A model under watch: the content of `conf/*/models/NAME.yml`."""

    name: Name
    """Name in the model registry."""
    task: Task
    dataset: Name
    """Kedro catalog entry with the model's history: features, target and timestamp in one table."""
    target: Name
    target_minimum: float | None = None
    """Smallest target value that makes sense; rows below are dirty."""
    target_maximum: float | None = None
    prediction: Name | None = None
    """Column with what was predicted; None where the champion is asked again."""
    trust_pickle: bool = False
    """Whether a version made elsewhere may be loaded though loading it runs code that it brings."""
    timestamp: Name
    """Column with the time of each row; naive times are read as UTC."""
    features: tuple[Feature, ...] = Field(min_length=1)
    time_features: tuple[str, ...] = ()
    """Derived from the timestamp and given to the model: "hour", "weekday", "month"."""
    ignored: dict[str, str] = Field(default_factory=dict)
    """Columns left out, each with the reason."""
    start: AwareDatetime | None = None
    """Where the first window begins; None for midnight of the first row's day."""
    window: NonNegativeDuration
    """Length of one monitoring window."""
    monitored_every: NonNegativeDuration | None = None
    """How often a window that ends then is looked at, such as each hour: the budget of false alarms
    counts these looks. None: as often as a window is long."""
    reference_windows: int = Field(ge=1)
    """How many windows the first champion is trained on."""
    label_delay: NonNegativeDuration
    """How long after a row its true target is known."""
    dependence: NonNegativeDuration | None = None
    """How close in time rows resemble each other, such as a day for readings of sensors: the
    metric's standard error then counts such stretches, not rows. None: learnt from the rows, by
    hour, day and week. Zero: rows are independent."""
    tier: Tier = Tier.STANDARD
    owner: str = ""
    """Who is asked when a person must decide."""
    metric: Name
    """ "r2" for regression, "roc_auc" (two classes) or "balanced_accuracy" for classification."""
    tolerance: float = Field(default=0.02, gt=0.0)
    """Loss of the metric that is still fine."""
    minimum_rows: int = Field(default=200, ge=1)
    """Fewer rows in a window are not enough data: no event."""
    segments: tuple[Name, ...] = ()
    """Categorical columns by which the metric is also told apart; none: all categorical ones."""
    reference: ReferencePeriod = ReferencePeriod.TRAINING
    season: NonNegativeDuration = timedelta(days=7)
    """How long until things recur, where the reference is the same season."""
    sensitivity: Sensitivity = Sensitivity()
    false_alarms_per_year: float = Field(default=1.0, gt=0.0)
    """Wanted false events of this model in a year: thresholds are calibrated for it."""
    announcement_cooldown: NonNegativeDuration = timedelta(days=1)
    """How long the same drift is not announced again, unless it grows graver."""
    promotion_margin: float = Field(default=0.005, ge=0.0)
    """A challenger must beat the champion by more than this on the newest labelled rows."""
    gate_fraction: float = Field(default=0.2, gt=0.0, lt=0.5)
    """Share of the newest labelled window, by time, held out to compare challenger and champion."""
    verification_fraction: float = Field(default=0.2, gt=0.0, lt=0.5)
    """Share of the newest labelled window, by time, held out to verify what was done."""
    costs: Costs = Costs()

    @model_validator(mode="after")
    def _columns_are_told_apart(self) -> "ModelSpec":
        names = [feature.name for feature in self.features]
        twice = {name for name in names if names.count(name) > 1}
        clash = {self.target, self.timestamp} & set(names)
        if twice or clash:
            msg = f"columns named twice or used as target or timestamp too: {sorted(twice | clash)}"
            raise ValueError(msg)
        return self

    @field_validator("monitored_every")
    @classmethod
    def _is_looked_at_now_and_then(cls, every: timedelta | None) -> timedelta | None:
        if every is not None and every < MIN_MONITORING_INTERVAL:
            msg = (
                f"monitored_every = {every}: at least a minute, for each look reads a window's rows"
            )
            raise ValueError(msg)
        return every


class ModelVersion(Record):
    """One version of a registered model, as the registry tells it."""

    model: Name
    version: str
    created_at: AwareDatetime
    champion: bool = False
    """Whether the alias `champion` points at it now."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Metrics logged when it was trained."""
    trained_on: Window | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class Slice(StrEnum):
    """Which part of the newest labelled window: none of them overlaps with what was trained on."""

    RECENT = "recent"
    """All labelled rows of the newest window (a version made from them must not be judged here)."""
    GATE = "gate"
    """Rows held out from retraining, on which champion and challenger are compared."""
    VERIFICATION = "verification"
    """Rows that neither training nor the promotion gate has seen."""


class VersionMetric(Record):
    """One version's metric on one slice of labelled rows."""

    version: str
    metric: Name
    value: float
    rows: int = Field(ge=0)


class Distribution(Record):
    """One column's shares in the reference and in the current window, over the same bins."""

    feature: Name
    bins: tuple[str, ...]
    """Category names, or numeric intervals as text."""
    reference: tuple[Fraction, ...]
    current: tuple[Fraction, ...]


class SegmentMetric(Record):
    """The champion's metric on the rows of one category, then and now."""

    feature: Name
    segment: str
    metric: Name
    reference: float | None
    current: float | None
    rows: int
