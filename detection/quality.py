"""What is wrong with a window's data itself, rather than different: faults of the source.

A corrupt window must teach nothing: what was learnt from it would have to be unlearnt.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from contracts.base import NAME_PATTERN
from contracts.drift import FeatureKind, FeatureRole, QualityFault
from contracts.model import ModelSpec
from detection.profile import ColumnProfile, WindowProfile

GRAVE_SHARE: Final = 0.2
"""Share of faulty rows from which a window is corrupt: one row in five."""
NULL_JUMP: Final = 0.05
"""Rise of the share of missing values, or of duplicates, that is a fault."""
FEW_ROWS: Final = 0.5
"""Share of the reference's rows per time below which a window is thin."""
SILENT_SHARE: Final = 0.25
"""Share of the window without rows at its end from which it is stale."""
SCALE: Final = 2.0
"""Smallest factor that looks like another unit."""
SCALE_SPREAD: Final = 0.1
"""How much the factor may differ from decile to decile, relative to its logarithm."""
MANY_VALUES: Final = 10
"""A numeric column with at least this many different values is not expected to stand still."""

Kind = Literal[
    "missing_column", "new_column", "retyped_column", "nulls", "range", "unseen_category",
    "duplicates", "constant", "few_rows", "unit_change", "stale",
]  # fmt: skip


def find_faults(
    reference: WindowProfile, current: WindowProfile, *, spec: ModelSpec
) -> tuple[QualityFault, ...]:
    """Every fault of the current window, the corrupting ones first."""
    if not current.window.rows:
        return ()
    faults = [*_window_faults(reference, current, spec)]
    for now in current.columns:
        before = reference.find(now.column.name)
        if before and now.column.role is not FeatureRole.PREDICTION:
            faults.extend(_column_faults(before, now))
    return tuple(sorted(faults, key=lambda each: (not each.corrupt, -each.fraction)))


def announces(fault: QualityFault) -> bool:
    """Whether a fault is worth an event by itself: it corrupts, or a column's make-up changed."""
    structural = {"missing_column", "retyped_column", "nulls", "constant", "unit_change"}
    return fault.corrupt or fault.kind in structural


def _window_faults(
    reference: WindowProfile, current: WindowProfile, spec: ModelSpec
) -> Iterator[QualityFault]:
    rows = current.window.rows
    expected = reference.window.rows * _length(current) / _length(reference)
    if rows < FEW_ROWS * expected:
        yield _fault("few_rows", None, f"{rows} rows where the reference suggests {expected:.0f}")
    repeated = current.duplicates / rows
    usual = reference.duplicates / max(reference.window.rows, 1)
    if repeated > usual + NULL_JUMP:
        detail = f"{current.duplicates} of {rows} rows repeat another ({usual:.1%} before)"
        yield _fault("duplicates", None, detail, repeated, corrupt=repeated >= GRAVE_SHARE)
    if current.newest is not None:
        silent = (current.window.end - current.newest).total_seconds() / _length(current)
        if silent > SILENT_SHARE:
            detail = f"the newest row is of {current.newest:%Y-%m-%d %H:%M}, none after it"
            yield _fault("stale", None, detail)
    for name in sorted(set(current.filled) - set(reference.filled) - set(spec.ignored)):
        yield _fault("new_column", name, "holds values now and held none in the reference", 1.0)


def _column_faults(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    name, rows = current.column.name, max(current.rows, 1)
    feature = current.column.role is FeatureRole.FEATURE
    if current.unreadable:
        share = current.unreadable / rows
        detail = f"{current.unreadable} of {rows} values are no numbers"
        yield _fault("retyped_column", name, detail, share, corrupt=share >= GRAVE_SHARE)
    elif feature and not current.present:
        if reference.present:
            yield _fault("missing_column", name, "holds no value any more", 1.0, corrupt=True)
        return
    else:
        yield from _null_fault(reference, current)
    if current.outside:
        share = current.outside / rows
        detail = f"{current.outside} of {rows} values lie outside {_bounds(current)}"
        yield _fault("range", name, detail, share, corrupt=share >= GRAVE_SHARE)
    if current.unseen:
        share = current.unseen / rows
        detail = f"{current.unseen} of {rows} values are categories never seen before"
        yield _fault("unseen_category", name, detail, share, corrupt=share >= GRAVE_SHARE)
    yield from _shape_faults(reference, current)


def _null_fault(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    before, now = reference.null_fraction, current.null_fraction
    if now - before >= NULL_JUMP:
        detail = f"{now:.1%} of the values are missing, {before:.1%} in the reference"
        grave = now - before >= GRAVE_SHARE
        yield _fault("nulls", current.column.name, detail, now, corrupt=grave)


def _shape_faults(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    name = current.column.name
    if current.distinct == 1 and reference.distinct > 1 and current.present > 1:
        stuck = current.column.kind is FeatureKind.NUMERIC and reference.distinct >= MANY_VALUES
        detail = f"every value is the same; the reference has {reference.distinct} different ones"
        yield _fault("constant", name, detail, 1.0, corrupt=stuck)
    factor = _scale(reference, current)
    if factor:
        detail = f"every decile is {factor:.3g} times the reference's: another unit?"
        yield _fault("unit_change", name, detail, 1.0, corrupt=True)


def _scale(reference: ColumnProfile, current: ColumnProfile) -> float | None:
    """The factor by which the whole distribution was stretched, or None where it was not."""
    before, now = np.asarray(reference.deciles), np.asarray(current.deciles)
    if not len(before) or not len(now) or min(reference.distinct, current.distinct) < MANY_VALUES:
        return None
    if (before * now <= 0).any():
        return None
    logs = np.log(now / before)
    middle = float(np.median(logs))
    if abs(middle) < np.log(SCALE) or np.ptp(logs) > SCALE_SPREAD * abs(middle):
        return None
    return float(np.exp(middle))


def _bounds(profile: ColumnProfile) -> str:
    low, high = profile.column.minimum, profile.column.maximum
    return f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"


def _length(profile: WindowProfile) -> float:
    return (profile.window.end - profile.window.start).total_seconds()


def _fault(
    kind: Kind, column: str | None, detail: str, fraction: float = 0.0, *, corrupt: bool = False
) -> QualityFault:
    named = column is None or re.fullmatch(NAME_PATTERN, column)
    return QualityFault(
        kind=kind,
        column=column if named else None,
        detail=detail if named else f"column {column!r:.200}: {detail}",
        fraction=min(fraction, 1.0),
        corrupt=corrupt,
    )
