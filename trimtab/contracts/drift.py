"""Drift as it is announced: one CloudEvents 1.0 envelope around one finding."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from trimtab.contracts.base import Count, Fraction, Name, Record, Text

EVENT_TYPE: Final = "io.trimtab.drift.detected.v1"
MAX_EVENT_BYTES = 64 * 1024
MAX_FEATURES = 100


class Severity(StrEnum):
    """How much the drift is thought to hurt, from least to most."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for LOW to 3 for CRITICAL."""
        return list(Severity).index(self)


class FeatureKind(StrEnum):
    """How a column is measured."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class FeatureRole(StrEnum):
    """What a column is to the model."""

    FEATURE = "feature"
    TARGET = "target"
    PREDICTION = "prediction"


class Window(Record):
    """A half-open span of production time, and how many rows fell into it."""

    start: AwareDatetime
    """First instant inside."""
    end: AwareDatetime
    """First instant outside."""
    rows: Count
    """Rows with a timestamp in [start, end)."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Window":
        if self.end <= self.start:
            msg = f"window ends at {self.end} but starts at {self.start}: end must be later"
            raise ValueError(msg)
        return self


class FeatureDrift(Record):
    """How far one column moved between the reference and the current window."""

    name: Name
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    psi: float = Field(default=0.0, ge=0.0)
    """Population stability index over the reference's bins, in nats; 0.2 is commonly "large"; 0
    also where another detector has not measured it: `why` then says what it has."""
    jensen_shannon: Fraction = 0.0
    """Jensen-Shannon distance (base 2), 0 to 1; 0 also where it was not measured."""
    test: str = ""
    """Name of the significance test, such as "ks" or "chi2"; empty when none ran."""
    statistic: float | None = None
    p_value: Fraction | None = None
    """Adjusted for the number of columns tested."""
    raw_p_value: Fraction | None = None
    """Before the adjustment."""
    wasserstein: float | None = Field(default=None, ge=0.0)
    """Numeric: Wasserstein-1 distance in the reference's standard deviations."""
    total_variation: Fraction | None = None
    """Categorical: half the sum of the absolute differences of the shares."""
    threshold: float | None = Field(default=None, ge=0.0)
    """PSI from which this column counts as drifted: the floor, or what the false-alarm budget
    asks for where that is more."""
    importance: float | None = None
    """What the champion's metric loses without the column, on rows held out; None if unknown."""
    impact: float | None = None
    """Estimated loss of the champion's metric through this column's drift; None if unknown."""
    why: str = Field(default="", max_length=400)
    """In one sentence, why it counts as drifted or not."""
    change: str = Field(default="", max_length=400)
    """What changed in a column that drifted, such as "its mean rose from 2.1 to 3.4"."""
    null_fraction_reference: Fraction = 0.0
    null_fraction_current: Fraction = 0.0
    mean_reference: float | None = None
    mean_current: float | None = None
    drifted: bool
    """Whether effect size and test both call it drift."""


FaultKind = Literal[
    "missing_column", "new_column", "retyped_column", "nulls", "range", "unseen_category",
    "duplicates", "constant", "few_rows", "unit_change", "stale",
]  # fmt: skip
"""What can be wrong with the data itself."""


class QualityFault(Record):
    """One thing that is wrong with the data itself, rather than different."""

    kind: FaultKind
    column: Name | None = None
    """The column, or None when the fault is the whole window's."""
    detail: Text
    """What was expected and what was seen, in one sentence."""
    fraction: Fraction = 0.0
    """Share of the window's rows affected."""
    corrupt: bool = False
    """Whether the fault is grave enough that nothing may be learnt from this window."""
    scale: float | None = None
    """Of a changed unit: now = scale times before + shift."""
    shift: float | None = None


class PerformanceChange(Record):
    """The champion's metric on labelled rows, then and now."""

    metric: Name
    """Such as "r2" or "roc_auc"; higher is always better."""
    reference: float
    """On rows held out at training time; a challenger's is at least the first champion's."""
    current: float
    """On the current window's labelled rows."""
    rows: Count
    """Labelled rows the current figure was computed on."""
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the difference, as far as it is known."""
    degraded: bool
    """Whether the loss exceeds what the configuration tolerates, and what chance explains."""


class MultivariateDrift(Record):
    """How well a classifier tells rows of the window from rows of the reference."""

    auc: Fraction
    """Area under its ROC curve on rows it has not learnt from; 0.5 is no drift at all."""
    low: Fraction
    high: Fraction
    """Interval that holds the true area with 95 % confidence."""
    rows: Count
    """Rows sampled of each side at most."""
    importance: dict[Name, float] = Field(default_factory=dict)
    """What the area loses without a feature; the greatest first, at most 20."""
    drifted: bool
    """Whether the interval lies above what the configuration tolerates."""


class PerformanceEstimate(Record):
    """The champion's metric in the window as expected without labels."""

    metric: Name
    reference: float
    """Estimated in the same way on rows held out at training time."""
    estimated: float
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the difference, as far as it is known."""
    rows: Count
    method: Literal["confidence_based", "direct_loss"]
    """Classifiers: from calibrated probabilities. Regressors: from a learnt loss."""
    degraded: bool
    """Whether the expected loss exceeds the tolerance and what chance explains."""


class DriftFinding(Record):
    """What one comparison of a window with its reference found."""

    model: Name
    """Registered model name."""
    champion_version: str | None = None
    """Registry version that served the window, if known."""
    reference: Window
    current: Window
    severity: Severity
    features: tuple[FeatureDrift, ...] = Field(default=(), max_length=MAX_FEATURES)
    """Worst first; at most 100."""
    quality: tuple[QualityFault, ...] = Field(default=(), max_length=MAX_FEATURES)
    performance: PerformanceChange | None = None
    """None where no labels have come."""
    estimate: PerformanceEstimate | None = None
    """What covariate shift alone is expected to do to the metric; None where unknown."""
    concept_loss: float | None = None
    """Loss of the metric beyond what covariate shift explains; None where either is unknown."""
    multivariate: MultivariateDrift | None = None
    """None where no rows were compared."""
    fingerprint: str = Field(default="", max_length=64)
    """The same for the same drift: model, reference, drifted columns and their directions."""
    reference_profile_uri: str | None = Field(default=None, max_length=1024)
    current_profile_uri: str | None = Field(default=None, max_length=1024)
    detector: Name = "trimtab"
    """Which software found it."""

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The columns that drifted."""
        return tuple(feature for feature in self.features if feature.drifted)

    @property
    def corrupt(self) -> bool:
        """Whether the data is too faulty to learn from."""
        return any(fault.corrupt for fault in self.quality)


class DriftEvent(Record):
    """A CloudEvents 1.0 structured-mode envelope; at most 64 KiB as JSON."""

    specversion: Literal["1.0"] = "1.0"
    id: Name
    """Unique per source; with the model it names the workflow, so a second delivery is no second
    incident."""
    source: str = Field(min_length=1, max_length=256)
    """URI reference of the detector."""
    type: Literal["io.trimtab.drift.detected.v1"] = EVENT_TYPE
    subject: Name
    """The registered model's name; equal to data.model."""
    time: AwareDatetime
    """When the drift was found."""
    datacontenttype: Literal["application/json"] = "application/json"
    correlationid: Name
    """CloudEvents extension: one id through every log line, span, tag and audit entry."""
    data: DriftFinding

    @model_validator(mode="before")
    @classmethod
    def _correlates_by_its_own_id(cls, raw: JsonValue) -> JsonValue:
        if isinstance(raw, dict) and "correlationid" not in raw and "id" in raw:
            return {**raw, "correlationid": raw["id"]}
        return raw

    @model_validator(mode="after")
    def _speaks_of_its_subject(self) -> "DriftEvent":
        if self.subject != self.data.model:
            msg = f"subject {self.subject!r} differs from data.model {self.data.model!r}"
            raise ValueError(msg)
        return self
