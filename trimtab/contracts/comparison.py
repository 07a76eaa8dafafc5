"""Result of comparing two tables, without a model and without a server."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Fraction, Record, Text
from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault, Severity
from trimtab.contracts.model import Correction

ColumnName = str
"""A column's name as the table has it: any text."""


class ComparedSources(Record):
    """Origins of the two tables."""

    reference: str
    """Path or address, without a password; empty if unknown."""
    current: str


class RowCounts(Record):
    """Numbers of rows that were compared."""

    reference: int = Field(ge=0)
    current: int = Field(ge=0)


class ComparisonLimits(Record):
    """Limits from which a column counts as drifted: its effect and its test must reach both."""

    psi: float = Field(ge=0.0)
    """Smallest population stability index, in nats."""
    p_value: Fraction
    """Largest adjusted p-value."""
    correction: Correction
    """How p-values are adjusted for the number of columns."""


class EffectSizes(Record):
    """Sizes of a column's change; none of them grows with the number of rows."""

    psi: float = Field(ge=0.0)
    """Population stability index, in nats: over the reference's ten quantile bins, or over its
    top categories and "other" (Siddiqi, 2006)."""
    jensen_shannon: Fraction
    """Jensen-Shannon distance (base 2) over the same bins, 0 to 1 (Endres and Schindelin, 2003)."""
    wasserstein: float | None = Field(default=None, ge=0.0)
    """Numeric: Wasserstein-1 distance in standard deviations of the reference (Vallender, 1974);
    None if the reference does not vary."""
    total_variation: Fraction | None = None
    """Categorical: half the sum of the absolute differences of the shares, 0 to 1."""


class ColumnTest(Record):
    """Significance test of a column's change."""

    name: Literal["ks", "chi2"]
    """Kolmogorov-Smirnov for numbers, Pearson's chi-square for categories."""
    statistic: float = Field(ge=0.0)
    """The largest gap between the cumulative shares, 0 to 1; or chi-square."""
    p: Fraction
    adjusted_p: Fraction
    """p-value adjusted for the number of columns by `sensitivity.correction`."""


class FeatureComparison(Record):
    """One column in both tables."""

    name: ColumnName
    kind: FeatureKind
    role: FeatureRole = FeatureRole.FEATURE
    effects: EffectSizes | None = None
    """None if either table holds too few values of the column."""
    test: ColumnTest | None = None
    """None if `effects` is."""
    threshold: float = Field(ge=0.0)
    """PSI from which the column counts as drifted."""
    drifted: bool
    """Whether both effect size and test call it drift."""
    why: str
    """The reason for `drifted`, in one sentence."""
    change: str = ""
    """What changed in a column that drifted, such as "its mean rose from 2.1 to 3.4"."""
    null_fraction_reference: Fraction = 0.0
    null_fraction_current: Fraction = 0.0
    mean_reference: float | None = None
    mean_current: float | None = None


class Comparison(Record):
    """Comparison of two tables."""

    schema_version: Literal["1"] = "1"
    """Version of this record: fields are added, and none is renamed or retyped."""
    drifted: bool
    """Whether a column drifted, or a quality fault counts as drift: it corrupts the data, or the
    make-up of a column changed. False if there is not enough data."""
    severity: Severity
    """From effect sizes and faults alone; never critical, because no loss was measured."""
    enough: bool
    """Whether both tables have enough rows for a verdict."""
    corrupt: bool = False
    """Whether the current table's faults are so grave that nothing may be learnt from it."""
    why: Text
    """The verdict in one sentence."""
    rows: RowCounts
    minimum_rows: int = Field(ge=1)
    """Rows that either table needs at least."""
    sources: ComparedSources
    generated: AwareDatetime | None = None
    """Time of the comparison."""
    version: str = ""
    """Version of Trimtab."""
    sensitivity: ComparisonLimits
    """Limits from which a column counts as drifted."""
    quality: tuple[QualityFault, ...] = ()
    """Quality faults, the corrupting ones first."""
    features: tuple[FeatureComparison, ...] = ()
    """The drifted columns first, then by PSI; those with too few values last."""
    target: FeatureComparison | None = None
    """The target column, compared like the others."""
    left_out: dict[ColumnName, str] = Field(default_factory=dict)
    """Columns of the reference that cannot be compared, each with the reason."""


def build_comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema of a comparison, as committed under docs/."""
    return Comparison.model_json_schema(mode="serialization")
