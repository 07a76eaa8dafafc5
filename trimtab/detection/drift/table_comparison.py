"""Compares two profiles without a model: the verdict of `trimtab compare`."""

from collections.abc import Collection, Sequence
from typing import Final

from trimtab.contracts.comparison import ComparedSources, Comparison, FeatureComparison, RowCounts
from trimtab.contracts.drift import FeatureRole, QualityFault, Severity
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.column_drift import FEWEST_VALUES, Move, moves
from trimtab.detection.drift.data_quality import announces, faults_between
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

MINIMUM_ROWS: Final = 200
"""Fewer in either table are not enough, unless another number is given."""
LARGE_SHIFT: Final = 0.5
"""PSI of the target from which severity is high."""
MANY: Final = 0.5
"""Share of the compared columns from which, drifted together, severity is high."""
NAMED: Final = 3
"""Drifted columns and faults that the verdict names."""
_NOTHING: Final = f"not enough data: no column has {FEWEST_VALUES} values on both sides"


def compare_profiles(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    sensitivity: Sensitivity | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    ignored: Collection[str] = (),
    left_out: Collection[str] = (),
) -> Comparison:
    """Every column of the reference, the current profile counted over its bins.

    A column in the role TARGET is told as `target`. Where there are not enough rows nothing counts
    as drifted. Columns that are `ignored` are no fault when they are new, and those `left_out`,
    though they are not compared, are one when they are empty now.
    """
    limits = sensitivity or Sensitivity()
    enough = min(reference.window.rows, current.window.rows) >= minimum_rows
    moved = moves(reference, current, sensitivity=limits) if enough else ()
    faults = (
        faults_between(reference, current, ignored={*ignored, *left_out}, left_out=left_out)
        if enough
        else ()
    )
    grave = any(map(announces, faults))
    told = [*map(_told, moved), *_untold(reference, current, moved, limits)]
    drifted = [each for each in told if each.drifted]
    rows = RowCounts(reference=reference.window.rows, current=current.window.rows)
    silent = enough and not moved and not grave
    why = _verdict(drifted, faults, count=len(told)) if enough else _too_few(rows, minimum_rows)
    return Comparison(
        drifted=bool(drifted) or grave,
        severity=_severity(told, faults),
        enough=enough and not silent,
        corrupt=any(fault.corrupt for fault in faults),
        why=_NOTHING if silent else why,
        rows=rows,
        minimum_rows=minimum_rows,
        sources=ComparedSources(reference="", current=""),
        sensitivity=limits,
        quality=faults,
        features=tuple(each for each in told if each.role is not FeatureRole.TARGET),
        target=next((each for each in told if each.role is FeatureRole.TARGET), None),
    )


def _told(move: Move) -> FeatureComparison:
    return FeatureComparison(
        name=move.current.column.name,
        kind=move.current.column.kind,
        role=move.current.column.role,
        effects=move.effects,
        test=move.test,
        threshold=move.threshold,
        drifted=move.drifted,
        why=move.why,
        change=move.change,
        null_fraction_reference=move.reference.null_fraction,
        null_fraction_current=move.current.null_fraction,
        mean_reference=move.reference.mean,
        mean_current=move.current.mean,
    )


def _untold(
    reference: WindowProfile,
    current: WindowProfile,
    moved: Sequence[Move],
    limits: Sensitivity,
) -> list[FeatureComparison]:
    """The columns of the reference that could not be compared, by name."""
    done = {move.current.column.name for move in moved}
    left = sorted(
        (each for each in reference.columns if each.column.name not in done),
        key=lambda each: each.column.name,
    )
    return [_uncompared(each, current.find(each.column.name), limits.psi) for each in left]


def _uncompared(
    reference: ColumnProfile, current: ColumnProfile | None, threshold: float
) -> FeatureComparison:
    return FeatureComparison(
        name=reference.column.name,
        kind=reference.column.kind,
        role=reference.column.role,
        threshold=threshold,
        drifted=False,
        why=_why_not(reference, current),
        null_fraction_reference=reference.null_fraction,
        null_fraction_current=current.null_fraction if current else 0.0,
        mean_reference=reference.mean,
        mean_current=current.mean if current else None,
    )


def _why_not(reference: ColumnProfile, current: ColumnProfile | None) -> str:
    if current is None:
        return "not compared: the column is not there any more"
    if current.column.kind is not reference.column.kind:
        return f"not compared: was {reference.column.kind} and is {current.column.kind} now"
    if min(reference.present, current.present) >= FEWEST_VALUES:
        return "not compared: there are not enough rows"
    return (
        f"not enough data: {reference.present} values before and {current.present} now,"
        f" at least {FEWEST_VALUES} are needed on either side"
    )


def _severity(told: Sequence[FeatureComparison], faults: Sequence[QualityFault]) -> Severity:
    """By how much moved, since nobody knows what it costs: never critical.

    High where the data is corrupt, the target moved far or half of the columns drifted.
    """
    drifted = [each for each in told if each.drifted]
    compared = [each for each in told if each.effects]
    far = any(
        each.role is FeatureRole.TARGET and each.effects and each.effects.psi >= LARGE_SHIFT
        for each in drifted
    )
    many = len(drifted) > 1 and len(drifted) >= MANY * len(compared)
    if far or many or any(fault.corrupt for fault in faults):
        return Severity.HIGH
    return Severity.MEDIUM if drifted or any(map(announces, faults)) else Severity.LOW


def _too_few(rows: RowCounts, minimum: int) -> str:
    noun = "row" if rows.reference == 1 else "rows"
    return (
        f"not enough data: {rows.reference:,} {noun} in the reference and {rows.current:,} in the"
        f" current table, at least {minimum:,} are needed in each"
    )


def _verdict(
    drifted: Sequence[FeatureComparison], faults: Sequence[QualityFault], *, count: int
) -> str:
    grave = [fault for fault in faults if announces(fault)]
    parts = []
    if grave:
        named = ", ".join(_named(fault) for fault in grave[:NAMED])
        corrupt = any(fault.corrupt for fault in grave)
        parts.append(f"{'corrupt' if corrupt else 'faulty'} data ({named}{_more(grave)})")
    if drifted:
        named = ", ".join(f"{each.name:.80}" for each in drifted[:NAMED])
        parts.append(f"{len(drifted):,} of {_columns(count)} drifted ({named}{_more(drifted)})")
    return " and ".join(parts) or f"none of {_columns(count)} drifted"


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"


def _named(fault: QualityFault) -> str:
    return f"{fault.kind.replace('_', ' ')} {fault.column or ''}".strip()


def _more(things: Sequence[object]) -> str:
    return f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
