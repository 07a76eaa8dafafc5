"""Drift events: a CloudEvents 1.0 envelope around the finding of one comparison."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints, model_validator

from trimtab.contracts.base import (
    CLEANED,
    Count,
    ForeignName,
    ForeignSentence,
    ForeignText,
    Fraction,
    Name,
    Record,
)
from trimtab.contracts.window_signals import WindowSignals

EVENT_TYPE: Final = "io.trimtab.drift.detected.v1"
MAX_EVENT_BYTES = 64 * 1024
MAX_UNSIGNED_BYTES: Final = MAX_EVENT_BYTES - 256
"""Size of an event that leaves room for its signature and the id of its key."""
MAX_FEATURES = 100


class Severity(StrEnum):
    """Estimated harm of the drift, from least to most."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for LOW to 3 for CRITICAL."""
        return list(Severity).index(self)


MEDIUM_LOSS: Final = 1.0
"""Loss of the metric, in tolerances, above which severity is medium."""
HIGH_LOSS: Final = 2.0
"""Loss of the metric, in tolerances, above which severity is high."""
CRITICAL_LOSS: Final = 4.0
"""Loss of the metric, in tolerances, above which severity is critical."""


def rate_loss(tolerances: float) -> Severity:
    """Return the severity of a loss of the metric, given in tolerances."""
    if tolerances > CRITICAL_LOSS:
        return Severity.CRITICAL
    if tolerances > HIGH_LOSS:
        return Severity.HIGH
    return Severity.MEDIUM if tolerances > MEDIUM_LOSS else Severity.LOW


class FeatureKind(StrEnum):
    """Kinds of columns, which are measured differently."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class FeatureRole(StrEnum):
    """Roles that a column has for the model."""

    FEATURE = "feature"
    TARGET = "target"
    PREDICTION = "prediction"


class Window(Record):
    """A half-open range of production time, and the number of rows in it."""

    start: AwareDatetime
    """First instant inside the window."""
    end: AwareDatetime
    """First instant after the window."""
    rows: Count
    """Number of rows with a timestamp in [start, end)."""

    @model_validator(mode="after")
    def _check_order(self) -> "Window":
        if self.end <= self.start:
            msg = f"the window ends at {self.end} but starts at {self.start}: the end must be later"
            raise ValueError(msg)
        return self


class FeatureDrift(Record):
    """How far one column moved between the reference and the current window."""

    name: Name
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    psi: float = Field(default=0.0, ge=0.0)
    """Population stability index over the reference's bins, in nats; 0.2 is commonly "large".
    Also 0 if another detector did not measure it; `why` then says what that detector measured."""
    jensen_shannon: Fraction = 0.0
    """Jensen-Shannon distance (base 2), 0 to 1; also 0 if it was not measured."""
    test: ForeignName = ""
    """Name of the significance test, such as "ks" or "chi2"; empty if none ran."""
    statistic: float | None = None
    p_value: Fraction | None = None
    """p-value adjusted for the number of columns tested."""
    raw_p_value: Fraction | None = None
    """p-value before the adjustment."""
    wasserstein: float | None = Field(default=None, ge=0.0)
    """Numeric: Wasserstein-1 distance in the reference's standard deviations."""
    total_variation: Fraction | None = None
    """Categorical: half the sum of the absolute differences of the shares."""
    threshold: float | None = Field(default=None, ge=0.0)
    """PSI from which this column counts as drifted: the floor, or the threshold that keeps the
    false-alarm budget if that is higher."""
    importance: float | None = None
    """Loss of the champion's metric without the column, on held-out rows; None if unknown."""
    impact: float | None = None
    """Estimated loss of the champion's metric caused by this column's drift; None if unknown."""
    why: ForeignSentence = ""
    """Reason for `drifted`, in one sentence."""
    change: ForeignSentence = ""
    """What changed in a column that drifted, such as "its mean rose from 2.1 to 3.4"."""
    null_fraction_reference: Fraction = 0.0
    null_fraction_current: Fraction = 0.0
    mean_reference: float | None = None
    mean_current: float | None = None
    drifted: bool
    """Whether both effect size and test call it drift."""


FaultKind = Literal[
    "missing_column", "new_column", "retyped_column", "nulls", "range", "unseen_category",
    "duplicates", "constant", "few_rows", "unit_change", "stale",
    "no_rows", "replayed", "default_value", "renamed_category", "outage",
    "unlearnable_labels", "flipped_labels", "late_labels",
]  # fmt: skip
"""Kinds of faults in the data itself.

`default_value` is one value whose share rose beyond every block of the reference; `outage` is a
fault or silence on whole days of a window whose other days are normal; `replayed` rows are those of
an earlier window under new times; the last three concern the target."""


class QualityFault(Record):
    """A fault in the data itself, as opposed to a change of its distribution."""

    kind: FaultKind
    column: Name | None = None
    """The faulty column; None if the fault concerns the whole window."""
    detail: ForeignText
    """Expected and observed values, in one sentence."""
    fraction: Fraction = 0.0
    """Share of the window's rows that are affected."""
    corrupt: bool = False
    """Whether the fault is grave enough that nothing may be learnt from this window."""
    scale: float | None = None
    """For a changed unit: value now = scale * value before + shift."""
    shift: float | None = None
    segment: ForeignText = ""
    """The rows that are affected if not all are, such as "Region = north" or "2 of 7 days"."""
    gravity: Fraction | None = None
    """How far the fault can explain a loss, by its column's importance and the rows affected; None
    if that was not measured."""


class PerformanceChange(Record):
    """The champion's metric on labelled rows, before and now."""

    metric: Name
    """Name of the metric, such as "r2" or "roc_auc"; higher is always better."""
    reference: float
    """Metric on rows held out at training time; for a challenger at least the first champion's."""
    current: float
    """Metric on the current window's labelled rows."""
    rows: Count
    """Number of labelled rows behind `current`."""
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the difference; None if unknown."""
    degraded: bool
    """Whether the loss exceeds both the configured tolerance and what chance explains."""
    trivial: float | None = None
    """Metric of a model that knows only the target's distribution: 0 for "r2", 0.5 for others."""
    spread: float | None = Field(default=None, ge=0.0)
    """Standard deviation of the metric between windows of the reference; None if unknown."""
    windows: Count = 0
    """Number of windows in a row, this one included, whose loss exceeds the tolerance."""


class MultivariateDrift(Record):
    """Result of a domain classifier, which separates rows of the window from the reference's."""

    auc: Fraction
    """Area under its ROC curve on rows that it was not trained on; 0.5 means no drift."""
    low: Fraction
    high: Fraction
    """Upper end of the 95 % confidence interval of the area, from `low` to `high`."""
    rows: Count
    """Largest number of rows sampled from each side."""
    importance: dict[Name, float] = Field(default_factory=dict)
    """Loss of the area without a feature; the largest first, at most 20."""
    drifted: bool
    """Whether the whole interval lies above the configured limit."""


class PerformanceEstimate(Record):
    """Estimate of the champion's metric in the window, made without labels."""

    metric: Name
    reference: float
    """The same kind of estimate on rows held out at training time."""
    estimated: float
    error: float | None = Field(default=None, ge=0.0)
    """Standard error of the difference; None if unknown."""
    rows: Count
    method: Literal["confidence_based", "direct_loss"]
    """Classifiers: from calibrated probabilities (CBPE). Regressors: from a learnt loss (DLE)."""
    degraded: bool
    """Whether the expected loss exceeds both the tolerance and what chance explains."""


class DriftFinding(Record):
    """Result of comparing one window with its reference."""

    model: Name
    """Name of the registered model."""
    champion_version: ForeignName | None = None
    """Version that served the window; None if unknown."""
    reference: Window
    current: Window
    severity: Severity
    features: tuple[FeatureDrift, ...] = Field(default=(), max_length=MAX_FEATURES)
    """Columns, the worst first; at most 100."""
    quality: tuple[QualityFault, ...] = Field(default=(), max_length=MAX_FEATURES)
    performance: PerformanceChange | None = None
    """None if no labels have arrived."""
    estimate: PerformanceEstimate | None = None
    """Expected effect of covariate shift alone on the metric; None if unknown."""
    concept_loss: float | None = None
    """Loss of the metric that covariate shift does not explain; None if either is unknown."""
    multivariate: MultivariateDrift | None = None
    """None if no rows were compared."""
    signals: WindowSignals | None = None
    """Measurements that tell causes apart; None in events of other or older detectors."""
    fingerprint: Annotated[str, StringConstraints(max_length=64), CLEANED] = ""
    """Digest that is equal for the same drift: of the model, the reference, and the drifted columns
    with their directions."""
    reference_profile_uri: str | None = Field(default=None, max_length=1024)
    current_profile_uri: str | None = Field(default=None, max_length=1024)
    detector: Name = "trimtab"
    """Name of the software that found the drift."""

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """Columns that drifted."""
        return tuple(feature for feature in self.features if feature.drifted)

    @property
    def corrupt(self) -> bool:
        """Whether the data is too faulty to learn from."""
        return any(fault.corrupt for fault in self.quality)


class DriftEvent(Record):
    """A CloudEvents 1.0 structured-mode envelope; at most 64 KiB as JSON."""

    specversion: Literal["1.0"] = "1.0"
    id: Name
    """Unique per source. Together with the model it names the workflow, so that a second delivery
    of the event opens no second incident."""
    source: Annotated[str, StringConstraints(min_length=1, max_length=256), CLEANED]
    """URI reference of the detector."""
    type: Literal["io.trimtab.drift.detected.v1"] = EVENT_TYPE
    subject: Name
    """Name of the registered model; equal to data.model."""
    time: AwareDatetime
    """Time at which the drift was found."""
    datacontenttype: Literal["application/json"] = "application/json"
    correlationid: Name
    """CloudEvents extension: the id that every log line, span, tag and audit entry carries."""
    keyid: Annotated[str, StringConstraints(max_length=64), CLEANED] = ""
    """CloudEvents extension: id of the key that the event is signed with; empty if it is not."""
    signature: Annotated[str, StringConstraints(max_length=128), CLEANED] = ""
    """CloudEvents extension: the publisher's Ed25519 signature, base64url without padding; see
    `contracts.event_signature`. Empty if the event is not signed."""
    data: DriftFinding

    @model_validator(mode="before")
    @classmethod
    def _default_correlation_id(cls, raw: JsonValue) -> JsonValue:
        if isinstance(raw, dict) and "correlationid" not in raw and "id" in raw:
            return {**raw, "correlationid": raw["id"]}
        return raw

    @model_validator(mode="after")
    def _check_subject(self) -> "DriftEvent":
        if self.subject != self.data.model:
            msg = f"subject {self.subject!r} differs from data.model {self.data.model!r}"
            raise ValueError(msg)
        return self
