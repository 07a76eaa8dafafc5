"""Compares two profiles without a model: the verdict of `trimtab compare`."""

from collections.abc import Collection, Sequence
from typing import Final

from trimtab.contracts.comparison import (
    ComparedSources,
    Comparison,
    ComparisonLimits,
    FeatureComparison,
    RowCounts,
)
from trimtab.contracts.drift import FeatureRole, QualityFault, Severity
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.column_drift import (
    MIN_VALUES_TO_COMPARE,
    ColumnChange,
    compare_columns,
)
from trimtab.detection.drift.data_quality import find_quality_faults
from trimtab.detection.drift.quality_faults import warrants_event
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

DEFAULT_MIN_ROWS: Final = 200
"""Rows that either table needs unless another number is given."""
HIGH_TARGET_PSI: Final = 0.5
"""Population stability index of the target from which severity is high."""
HIGH_COLUMN_SHARE: Final = 0.5
"""Share of the compared columns from which, if they drifted together, severity is high."""
MAX_NAMED_IN_VERDICT: Final = 3
"""Drifted columns, and faults, that the verdict names at most."""
_NO_COMPARED_COLUMN: Final = f"no column has {MIN_VALUES_TO_COMPARE} values on both sides"


def compare_profiles(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    minimum_rows: int = DEFAULT_MIN_ROWS,
    ignored: Collection[str] = (),
    excluded: Collection[str] = (),
) -> Comparison:
    """Compare every column of the reference; `current` must be counted over its bins.

    A column in the role TARGET becomes `Comparison.target`. With fewer than `minimum_rows` on
    either side nothing counts as drifted. `ignored` columns are no fault if they are new;
    `excluded` columns, which are not compared, are a fault if they are empty now.
    """
    limits = sensitivity or Sensitivity()
    enough = min(reference.window.rows, current.window.rows) >= minimum_rows
    changes = compare_columns(reference, current, sensitivity=limits) if enough else ()
    faults = (
        find_quality_faults(reference, current, ignored={*ignored, *excluded}, excluded=excluded)
        if enough
        else ()
    )
    faulty = any(map(warrants_event, faults))
    columns = [
        *map(_build_compared, changes),
        *_build_uncompared_rest(reference, current, changes, limits),
    ]
    drifted = [each for each in columns if each.drifted]
    rows = RowCounts(reference=reference.window.rows, current=current.window.rows)
    unknown = enough and not changes and not faulty
    why = (
        _format_verdict(drifted, faults, count=len(columns))
        if enough
        else _format_too_few_rows(rows, minimum_rows)
    )
    return Comparison(
        drifted=bool(drifted) or faulty,
        severity=_compute_severity(columns, faults),
        enough=enough and not unknown,
        corrupt=any(fault.corrupt for fault in faults),
        why=_NO_COMPARED_COLUMN if unknown else why,
        rows=rows,
        minimum_rows=minimum_rows,
        sources=ComparedSources(reference="", current=""),
        sensitivity=ComparisonLimits(
            psi=limits.psi, p_value=limits.p_value, correction=limits.correction
        ),
        quality=faults,
        features=tuple(each for each in columns if each.role is not FeatureRole.TARGET),
        target=next((each for each in columns if each.role is FeatureRole.TARGET), None),
    )


def _build_compared(change: ColumnChange) -> FeatureComparison:
    return FeatureComparison(
        name=change.current.column.name,
        kind=change.current.column.kind,
        role=change.current.column.role,
        effects=change.effects,
        test=change.test,
        threshold=change.threshold,
        drifted=change.drifted,
        why=change.why,
        change=change.change,
        null_fraction_reference=change.reference.null_fraction,
        null_fraction_current=change.current.null_fraction,
        mean_reference=change.reference.mean,
        mean_current=change.current.mean,
    )


def _build_uncompared_rest(
    reference: WindowProfile,
    current: WindowProfile,
    changes: Sequence[ColumnChange],
    limits: Sensitivity,
) -> list[FeatureComparison]:
    """Return the columns of the reference that could not be compared, sorted by name."""
    compared = {change.current.column.name for change in changes}
    rest = sorted(
        (each for each in reference.columns if each.column.name not in compared),
        key=lambda each: each.column.name,
    )
    return [_build_uncompared(each, current.find(each.column.name), limits.psi) for each in rest]


def _build_uncompared(
    reference: ColumnProfile, current: ColumnProfile | None, threshold: float
) -> FeatureComparison:
    return FeatureComparison(
        name=reference.column.name,
        kind=reference.column.kind,
        role=reference.column.role,
        threshold=threshold,
        drifted=False,
        why=_explain_uncompared(reference, current),
        null_fraction_reference=reference.null_fraction,
        null_fraction_current=current.null_fraction if current else 0.0,
        mean_reference=reference.mean,
        mean_current=current.mean if current else None,
    )


def _explain_uncompared(reference: ColumnProfile, current: ColumnProfile | None) -> str:
    if current is None:
        return "not compared: the column is missing"
    if current.column.kind is not reference.column.kind:
        return f"not compared: was {reference.column.kind} and is {current.column.kind} now"
    if min(reference.value_count, current.value_count) >= MIN_VALUES_TO_COMPARE:
        return "not compared: there are not enough rows"
    return (
        f"not enough data: {reference.value_count} values before and {current.value_count} now,"
        f" at least {MIN_VALUES_TO_COMPARE} are needed on either side"
    )


def _compute_severity(
    columns: Sequence[FeatureComparison], faults: Sequence[QualityFault]
) -> Severity:
    """Rate the size of the changes; never critical, because their cost is not known.

    High if the data is corrupt, the target moved far or half of the columns drifted.
    """
    drifted = [each for each in columns if each.drifted]
    compared = [each for each in columns if each.effects]
    far = any(
        each.role is FeatureRole.TARGET and each.effects and each.effects.psi >= HIGH_TARGET_PSI
        for each in drifted
    )
    many = len(drifted) > 1 and len(drifted) >= HIGH_COLUMN_SHARE * len(compared)
    if far or many or any(fault.corrupt for fault in faults):
        return Severity.HIGH
    return Severity.MEDIUM if drifted or any(map(warrants_event, faults)) else Severity.LOW


def _format_too_few_rows(rows: RowCounts, minimum: int) -> str:
    noun = "row" if rows.reference == 1 else "rows"
    return (
        f"{rows.reference:,} {noun} in the reference and {rows.current:,} in the"
        f" current table, at least {minimum:,} are needed in each"
    )


def _format_verdict(
    drifted: Sequence[FeatureComparison], faults: Sequence[QualityFault], *, count: int
) -> str:
    serious = [fault for fault in faults if warrants_event(fault)]
    clauses = []
    if serious:
        named = ", ".join(_format_fault(fault) for fault in serious[:MAX_NAMED_IN_VERDICT])
        clauses.append(f"data faults ({named}{_count_unnamed(serious)})")
    if drifted:
        named = ", ".join(f"{each.name:.80}" for each in drifted[:MAX_NAMED_IN_VERDICT])
        share = f"{len(drifted):,} of {_count_columns(count)}"
        clauses.append(f"{share} drifted ({named}{_count_unnamed(drifted)})")
    return " and ".join(clauses) or f"none of {_count_columns(count)} drifted"


def _count_columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"


def _format_fault(fault: QualityFault) -> str:
    return f"{fault.kind.replace('_', ' ')} {fault.column or ''}".strip()


def _count_unnamed(things: Sequence[object]) -> str:
    rest = len(things) - MAX_NAMED_IN_VERDICT
    return f" and {rest} more" if rest > 0 else ""
