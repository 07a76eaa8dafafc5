"""What `trimtab compare` writes: two tables side by side, without a model and without a server."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Fraction, Record, Text
from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault, Severity
from trimtab.contracts.model import Sensitivity

ColumnName = str
"""As the table has it: any text."""


class ComparedSources(Record):
    """Where the two tables came from."""

    reference: str
    """Path or address, without a password; empty where it is not known."""
    current: str


class RowCounts(Record):
    """How many rows were compared."""

    reference: int = Field(ge=0)
    current: int = Field(ge=0)


class EffectSizes(Record):
    """How far a column moved; none of these grows with the number of rows."""

    psi: float = Field(ge=0.0)
    """Population stability index, in nats: over the reference's ten quantile bins, or over its
    top categories and "other" (Siddiqi, 2006)."""
    jensen_shannon: Fraction
    """Jensen-Shannon distance (base 2) over the same bins, 0 to 1 (Endres and Schindelin, 2003)."""
    wasserstein: float | None = Field(default=None, ge=0.0)
    """Numeric: Wasserstein-1 distance in standard deviations of the reference (Vallender, 1974);
    None where the reference does not vary."""
    total_variation: Fraction | None = None
    """Categorical: half the sum of the absolute differences of the shares, 0 to 1."""


class ColumnTest(Record):
    """Whether chance explains that the column moved."""

    name: Literal["ks", "chi2"]
    """Kolmogorov-Smirnov for numbers, Pearson's chi-square for categories."""
    statistic: float = Field(ge=0.0)
    """The greatest gap between the cumulative shares, 0 to 1; or chi-square."""
    p: Fraction
    adjusted_p: Fraction
    """Adjusted for the number of columns, by what `sensitivity.correction` says."""


class FeatureComparison(Record):
    """One column in both tables."""

    name: ColumnName
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    effects: EffectSizes | None = None
    """None where either table holds too few values of the column."""
    test: ColumnTest | None = None
    """None where `effects` is."""
    threshold: float = Field(ge=0.0)
    """PSI from which the column counts as drifted."""
    drifted: bool
    """Whether both the effect and the test say so."""
    why: str
    """Why, or why not, in one sentence."""
    change: str = ""
    """What changed in a column that drifted, such as "its mean rose from 2.1 to 3.4"."""
    null_fraction_reference: Fraction = 0.0
    null_fraction_current: Fraction = 0.0
    mean_reference: float | None = None
    mean_current: float | None = None


class Comparison(Record):
    """Two tables compared."""

    schema_version: Literal["1"] = "1"
    """Of this record: fields are added, none renamed or retyped."""
    drifted: bool
    """Whether a column drifted, or a quality fault is one that counts by itself: it corrupts the
    data, or the make-up of a column changed. False where there is not enough data."""
    severity: Severity
    """From effect sizes and faults alone, so never critical: nobody measured a loss."""
    enough: bool
    """Whether both tables have rows enough to say anything."""
    corrupt: bool = False
    """Whether the current table is so faulty that nothing may be learnt from it."""
    why: Text
    """The verdict in one sentence."""
    rows: RowCounts
    minimum_rows: int = Field(ge=1)
    """Fewer in either table are not enough data."""
    sources: ComparedSources
    generated: AwareDatetime | None = None
    """When it was compared."""
    version: str = ""
    """Trimtab's."""
    sensitivity: Sensitivity
    """When a column counts as drifted."""
    quality: tuple[QualityFault, ...] = ()
    """The corrupting ones first."""
    features: tuple[FeatureComparison, ...] = ()
    """The drifted ones first, then by PSI; those with too few values last."""
    target: FeatureComparison | None = None
    """The column given as target, compared like the others."""
    left_out: dict[ColumnName, str] = Field(default_factory=dict)
    """Columns of the reference that cannot be compared, each with the reason."""


def build_comparison_schema() -> dict[str, Any]:
    """The JSON Schema of a comparison, as committed under docs/."""
    return Comparison.model_json_schema(mode="serialization")
