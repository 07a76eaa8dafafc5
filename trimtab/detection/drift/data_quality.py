"""What is wrong with a window's data itself, rather than different: faults of the source.

A corrupt window must teach nothing: what was learnt from it would have to be unlearnt.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Iterable, Iterator
from datetime import datetime
from typing import Final, Literal

import numpy as np

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.proportion_tests import log_chance_of_all, rose
from trimtab.detection.drift.unit_change import AffineMap, changed_unit
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

GRAVE_SHARE: Final = 0.2
"""Share of faulty rows from which a window is corrupt: one row in five."""
NULL_JUMP: Final = 0.05
"""Rise of the share of missing values, or of duplicates, that is a fault where chance is none."""
FEW_REPEATS: Final = 3
"""Repeated rows that a reference without any may as well have had."""
CHANCE: Final = math.log(1e-6)
"""Log of the chance up to which values that are all the same are no accident."""
FEW_ROWS: Final = 0.5
"""Share of the reference's rows per time below which a window is thin."""
EXTRAPOLATED: Final = 7.0
"""Times the reference's length up to which it tells how many rows to expect: a day, of a week."""
SILENT_SHARE: Final = 0.25
"""Share of the window without rows at its end from which it is stale."""
COLLAPSED: Final = 0.1
"""Share of the reference's rows per time below which a window of a day or more is corrupt."""
FAR: Final = 2.0
"""Times the reference's whole range that a value must lie beyond it to be far from all before."""
FAR_SHARE: Final = 0.01
"""Share of far values that is a fault: fewer are single slips, or a heavy tail."""
MANY_VALUES: Final = 10
"""A numeric column with at least this many different values is not expected to stand still."""
UNSEEN_ERRORS: Final = 3.0
"""Standard errors beyond what is expected from which on values in new categories are a fault."""
DAY: Final = 86_400.0
"""Seconds."""

Kind = Literal[
    "missing_column", "new_column", "retyped_column", "nulls", "range", "unseen_category",
    "duplicates", "constant", "few_rows", "unit_change", "stale",
]  # fmt: skip


def find_faults(
    reference: WindowProfile, current: WindowProfile, *, spec: ModelSpec
) -> tuple[QualityFault, ...]:
    """Every fault of the current window, the corrupting ones first."""
    return faults_between(reference, current, ignored=spec.ignored, scheduled=True)


def faults_between(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    ignored: Container[str] = (),
    scheduled: bool = False,
    left_out: Collection[str] = (),
) -> tuple[QualityFault, ...]:
    """The same without a model: new columns that are `ignored` are no fault.

    Columns that are `left_out`, for nobody can compare them, are one where they are empty now.
    Without times (`newest` is None) rows cannot be counted per time: few are no fault then. A
    window that is not `scheduled` ends with its newest row, whenever that is: it is stale where
    the reference has rows as new, so that it may be of the same period again.
    """
    if not current.window.rows:
        return ()
    faults = [*_gone(reference, current, left_out)]
    for before in reference.columns:
        now = current.find(before.column.name)
        if before.column.role is FeatureRole.PREDICTION:
            continue
        if now is None or now.column.kind is not before.column.kind:
            faults.extend(_schema_faults(before, now))
        else:
            faults.extend(_column_faults(before, now))
    faults.extend(_repeats_fault(reference, current, lost=_lost(reference, faults)))
    faults.extend(_window_faults(reference, current, ignored))
    if current.newest is not None:
        faults.extend(_count_fault(reference, current))
        stale = _silent(current, current.newest) if scheduled else _again(reference, current.newest)
        faults.extend([_fault("stale", None, stale)] if stale else [])
    return tuple(sorted(faults, key=lambda each: (not each.corrupt, -each.fraction)))


def announces(fault: QualityFault) -> bool:
    """Whether a fault is worth an event by itself: it corrupts, or a column's make-up changed."""
    structural = {"missing_column", "retyped_column", "nulls", "constant", "unit_change"}
    few = fault.kind == "retyped_column" and fault.fraction < NULL_JUMP
    return fault.corrupt or (fault.kind in structural and not few)


def _window_faults(
    reference: WindowProfile, current: WindowProfile, ignored: Container[str]
) -> Iterator[QualityFault]:
    rows, before = max(current.window.rows, 1), max(reference.window.rows, 1)
    risen = current.untimed / rows - reference.untimed / before
    if risen >= NULL_JUMP and rose(current.untimed, rows, reference.untimed, before):
        shares = f"{current.untimed / rows:.1%} of the rows", f"{reference.untimed / before:.1%}"
        detail = f"{shares[0]} have no time that can be read, {shares[1]} in the reference"
        yield _fault("nulls", None, detail, current.untimed / rows, corrupt=risen >= GRAVE_SHARE)
    for name in sorted(set(current.filled) - set(reference.filled)):
        if name not in ignored:
            yield _fault("new_column", name, "holds values now and held none before", 1.0)


def _repeats_fault(
    reference: WindowProfile, current: WindowProfile, *, lost: float
) -> Iterator[QualityFault]:
    """More repeated rows than so many rows of the reference's make would have.

    The share of rows that repeat another grows with the rows, and less than in proportion to them:
    a narrow table has only so many different rows. `lost` is the share of rows that may repeat
    another because a column does not tell them apart any more.
    """
    rows, before = current.window.rows, max(reference.window.rows, 1)
    larger = max(1.0, rows / before)
    usual = min((reference.duplicates + FEW_REPEATS) / before * larger + lost, 1.0)
    repeated = current.duplicates / rows
    if repeated > usual + NULL_JUMP and rose(current.duplicates, rows, usual * before, before):
        usually = f"{reference.duplicates / before:.1%} before"
        detail = f"{current.duplicates} of {rows} rows repeat another ({usually})"
        grave = repeated >= usual + GRAVE_SHARE
        yield _fault("duplicates", None, detail, repeated, corrupt=grave)


def _lost(reference: WindowProfile, faults: Iterable[QualityFault]) -> float:
    """Share of the rows, at most, in which a column with a fault tells nothing any more."""
    share = 0.0
    for fault in faults:
        before = reference.find(fault.column) if fault.column else None
        if fault.kind in {"missing_column", "constant"}:
            share += 1.0
        elif fault.kind == "nulls":
            share += fault.fraction - (before.null_fraction if before else 0.0)
    return share


def _count_fault(reference: WindowProfile, current: WindowProfile) -> Iterator[QualityFault]:
    """Fewer rows than so much time had before, where the reference is long enough to tell."""
    length, before = _length(current), _length(reference)
    if length > EXTRAPOLATED * before:
        return
    rows = current.window.rows - current.untimed
    expected = (reference.window.rows - reference.untimed) * length / before
    if rows < FEW_ROWS * expected:
        collapsed = rows < COLLAPSED * expected and length >= DAY
        detail = f"{rows} rows where the reference suggests {expected:.0f}"
        yield _fault("few_rows", None, detail, corrupt=collapsed)


def _silent(current: WindowProfile, newest: datetime) -> str:
    """What tells that no rows came at the end of a window; "" where they did."""
    silence = (current.window.end - newest).total_seconds()
    if silence <= SILENT_SHARE * _length(current):
        return ""
    return f"the newest row is of {newest:%Y-%m-%d %H:%M}, none after it"


def _again(reference: WindowProfile, newest: datetime) -> str:
    """What tells that a table holds nothing newer than the reference; "" where it does."""
    if reference.newest is None or newest > reference.newest:
        return ""
    return f"the newest row is of {newest:%Y-%m-%d %H:%M}, no later than the reference's"


def _gone(
    reference: WindowProfile, current: WindowProfile, names: Collection[str]
) -> Iterator[QualityFault]:
    """Which of these columns, that are not compared, held values before and hold none now."""
    for name in sorted({*names} & {*reference.filled} - {*current.filled}):
        yield _fault("missing_column", name, "is not compared, and holds no value any more", 1.0)


def _schema_faults(
    reference: ColumnProfile, current: ColumnProfile | None
) -> Iterator[QualityFault]:
    """A column that is not there, or is another kind of column."""
    name = reference.column.name
    if current is None and reference.present and reference.column.role is FeatureRole.FEATURE:
        yield _fault("missing_column", name, "is not there any more", 1.0, corrupt=True)
    elif current is not None and current.present:
        detail = f"was {reference.column.kind} and is {current.column.kind} now"
        yield _fault("retyped_column", name, detail, 1.0, corrupt=True)


def _column_faults(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    name, rows = current.column.name, max(current.rows, 1)
    feature = current.column.role is FeatureRole.FEATURE
    unreadable = _rise(current.unreadable, current, reference.unreadable, reference)
    if unreadable > 0:
        detail = f"{current.unreadable} of {rows} values are no numbers"
        yield _fault("retyped_column", name, detail, unreadable, corrupt=unreadable >= GRAVE_SHARE)
    elif feature and not current.present:
        if reference.present:
            yield _fault("missing_column", name, "holds no value any more", 1.0, corrupt=True)
        return
    else:
        yield from _null_fault(reference, current)
    outside = _rise(current.outside, current, reference.outside, reference)
    if outside > 0:
        detail = f"{current.outside} of {rows} values lie outside {_bounds(current)}"
        yield _fault("range", name, detail, outside, corrupt=outside >= GRAVE_SHARE)
    yield from _unseen_fault(reference, current)
    yield from _shape_faults(reference, current)


def _rise(now: int, current: ColumnProfile, before: int, reference: ColumnProfile) -> float:
    """By how much the share of rows with something wrong rose; 0 where chance may explain it.

    A single such row is told where the reference has none.
    """
    if before and not rose(now, current.rows, before, reference.rows):
        return 0.0
    return now / max(current.rows, 1) - before / max(reference.rows, 1)


def _null_fault(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    before, now = reference.null_fraction, current.null_fraction
    risen = rose(current.nulls, current.rows, reference.nulls, reference.rows)
    if risen and now - before >= NULL_JUMP:
        detail = f"{now:.1%} of the values are missing, {before:.1%} in the reference"
        grave = now - before >= GRAVE_SHARE
        yield _fault("nulls", current.column.name, detail, now, corrupt=grave)


def _unseen_fault(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    """More values in new categories than there must be, for the reference has not seen all.

    Expected are as large a share as that of the reference's values that stand alone in their
    category (Good, 1953); the error of this is about the root of twice their number.
    """
    if not (current.unseen and reference.present):
        return
    alone = reference.once or 0
    expected = alone / reference.present
    error = math.hypot(
        math.sqrt(expected * (1.0 - expected) / current.present),
        math.sqrt(alone * (2.0 - expected)) / reference.present,
    )
    excess = current.unseen / current.present - expected
    if excess <= UNSEEN_ERRORS * error:
        return
    rows = max(current.rows, 1)
    detail = f"{current.unseen} of {rows} values are categories never seen before"
    if alone:
        detail = f"{detail}, where {expected:.1%} were to be expected"
    share = excess * current.present / rows
    grave = share >= GRAVE_SHARE
    yield _fault("unseen_category", current.column.name, detail, share, corrupt=grave)


def _shape_faults(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    name = current.column.name
    varied = reference.present > 1 and not _constant(reference)
    if varied and current.present > 1 and _constant(current) and _no_accident(reference, current):
        stuck = current.column.kind is FeatureKind.NUMERIC and reference.distinct >= MANY_VALUES
        detail = f"every value is the same; the reference has at least {reference.distinct}"
        yield _fault("constant", name, detail, 1.0, corrupt=stuck)
    unit = changed_unit(reference, current)
    if unit:
        fault = _fault("unit_change", name, _explained(unit, reference, current), 1.0, corrupt=True)
        yield fault.model_copy(update={"scale": unit.scale, "shift": unit.shift})
    elif not current.outside:
        yield from _far_fault(reference, current)


def _far_fault(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    """A part of the values far from all before, such as some rows in another unit.

    It never corrupts: the world may have grown, which only somebody who knows it can tell.
    """
    low, high, varied = reference.minimum, reference.maximum, reference.distinct >= MANY_VALUES
    if low is None or high is None or not varied:
        return
    slack = FAR * (high - low)
    first = bisect_left(reference.edges, high + slack)
    last = bisect_right(reference.edges, low - slack)
    far = sum(current.counts[first + 1 :]) + sum(current.counts[:last])
    if far and far >= FAR_SHARE * current.present:
        detail = (
            f"{far} of {current.rows} values lie far beyond {low:.4g} to {high:.4g}, all before"
        )
        yield _fault("range", current.column.name, detail, far / max(current.rows, 1))


def _constant(profile: ColumnProfile) -> bool:
    if profile.column.kind is FeatureKind.NUMERIC:
        return profile.present > 0 and profile.minimum == profile.maximum
    return profile.distinct == 1


def _no_accident(reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Whether values that are all in one bin would hardly be so by chance."""
    place, earlier = int(np.argmax(current.counts)), sum(reference.counts)
    return log_chance_of_all(current.present, reference.counts[place], earlier) < CHANCE


def _explained(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> str:
    shift = f" {'+' if unit.shift > 0 else '-'} {abs(unit.shift):g}" if unit.shift else ""
    guess = f"from {unit.meaning}?" if unit.meaning else "another unit?"
    return (
        f"now = {unit.scale:.4g} x before{shift} explains the change ({guess}):"
        f" its mean went from {reference.mean:.4g} to {current.mean:.4g}"
    )


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
