"""Finds the quality faults of single columns: missing, retyped, stuck or converted values."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

import numpy as np

from trimtab.contracts.drift import FeatureKind, FeatureRole, QualityFault
from trimtab.detection.drift.category_changes import find_unseen_categories
from trimtab.detection.drift.proportion_tests import (
    compute_log_fisher_probability,
    two_proportion_test,
)
from trimtab.detection.drift.quality_faults import (
    MIN_CORRUPT_SHARE,
    MIN_SHARE_RISE,
    build_fault,
)
from trimtab.detection.drift.unit_change import (
    MIN_DISTINCT_OF_MEASUREMENT,
    AffineMap,
    detect_unit_change,
)
from trimtab.detection.profiles.window_profile import ColumnProfile

MAX_LOG_CONSTANT_PROBABILITY: Final = math.log(1e-6)
"""Log of the probability below which values that are all the same are no accident."""
FAR_VALUE_RANGES: Final = 2.0
"""Distance of a far value beyond the reference's range, in widths of that range."""
MIN_FAR_VALUE_SHARE: Final = 0.01
"""Share of far values that is a fault; fewer are single slips, or a heavy tail."""
MAX_RENAMED_IN_DETAIL: Final = 3
"""Renamed categories that a fault names at most."""


def find_column_faults(
    reference: ColumnProfile, current: ColumnProfile | None
) -> Iterator[QualityFault]:
    """Yield the faults of one column; `current` is None if the window lacks it."""
    if current is None or current.column.kind is not reference.column.kind:
        yield from _find_schema_faults(reference, current)
    else:
        yield from _find_value_faults(reference, current)


def _find_schema_faults(
    reference: ColumnProfile, current: ColumnProfile | None
) -> Iterator[QualityFault]:
    """Yield the fault of a column that is missing or has become another kind of column."""
    name = reference.column.name
    if current is None and reference.value_count and reference.column.role is FeatureRole.FEATURE:
        yield build_fault("missing_column", name, "the column is missing", 1.0, corrupt=True)
    elif current is not None and current.value_count:
        detail = f"the column was {reference.column.kind} and is {current.column.kind} now"
        yield build_fault("retyped_column", name, detail, 1.0, corrupt=True)


def _find_value_faults(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    name, rows = current.column.name, max(current.rows, 1)
    is_feature = current.column.role is FeatureRole.FEATURE
    unreadable = _compute_share_rise(current.unreadable, current, reference.unreadable, reference)
    if unreadable > 0:
        detail = f"{current.unreadable} of {rows} values are not numbers"
        corrupt = unreadable >= MIN_CORRUPT_SHARE
        yield build_fault("retyped_column", name, detail, unreadable, corrupt=corrupt)
    elif is_feature and not current.value_count:
        if reference.value_count:
            detail = "the column has no values any more"
            yield build_fault("missing_column", name, detail, 1.0, corrupt=True)
        return
    else:
        yield from _find_null_fault(reference, current)
    outside = _compute_share_rise(current.outside, current, reference.outside, reference)
    if outside > 0:
        detail = f"{current.outside} of {rows} values lie outside {_format_bounds(current)}"
        yield build_fault("range", name, detail, outside, corrupt=outside >= MIN_CORRUPT_SHARE)
    yield from _find_unseen_category_fault(reference, current)
    yield from _find_constant_fault(reference, current)
    unit_change = list(_find_unit_change_fault(reference, current))
    yield from unit_change
    if not unit_change and not current.outside:
        yield from _find_far_value_fault(reference, current)


def _compute_share_rise(
    count: int, current: ColumnProfile, reference_count: int, reference: ColumnProfile
) -> float:
    """Return the rise of the share of bad rows, or 0 if chance may explain it.

    A single bad row counts if the reference has none.
    """
    if reference_count and not two_proportion_test(
        count, current.rows, reference_count, reference.rows
    ):
        return 0.0
    return count / max(current.rows, 1) - reference_count / max(reference.rows, 1)


def _find_null_fault(reference: ColumnProfile, current: ColumnProfile) -> Iterator[QualityFault]:
    before, now = reference.null_fraction, current.null_fraction
    risen = two_proportion_test(current.nulls, current.rows, reference.nulls, reference.rows)
    if risen and now - before >= MIN_SHARE_RISE:
        detail = f"{now:.1%} of the values are missing, {before:.1%} in the reference"
        corrupt = now - before >= MIN_CORRUPT_SHARE
        yield build_fault("nulls", current.column.name, detail, now, corrupt=corrupt)


def _find_unseen_category_fault(
    reference: ColumnProfile, current: ColumnProfile
) -> Iterator[QualityFault]:
    """Yield a fault if values are in new categories; only renamed ones can corrupt the window."""
    found = find_unseen_categories(reference, current)
    if found is None:
        return
    detail = (
        f"{current.unseen} of {current.rows} values are in categories that the reference never had"
    )
    if found.expected:
        detail = f"{detail}; {found.expected:.1%} were expected"
    if not found.replaced:
        yield build_fault("unseen_category", current.column.name, detail, found.share)
        return
    named = ", ".join(f"{name!r:.40}" for name in found.replaced[:MAX_RENAMED_IN_DETAIL])
    detail = f"{detail}, in place of {len(found.replaced)} that had about their share ({named})"
    corrupt = found.share >= MIN_CORRUPT_SHARE
    yield build_fault("renamed_category", current.column.name, detail, found.share, corrupt=corrupt)


def _find_constant_fault(
    reference: ColumnProfile, current: ColumnProfile
) -> Iterator[QualityFault]:
    """Yield a fault if a column that varied has one value now; a stuck measurement corrupts."""
    varied = reference.value_count > 1 and not _is_constant(reference)
    constant = current.value_count > 1 and _is_constant(current)
    if varied and constant and _is_no_accident(reference, current):
        numeric = current.column.kind is FeatureKind.NUMERIC
        stuck = numeric and reference.distinct_count >= MIN_DISTINCT_OF_MEASUREMENT
        detail = (
            f"every value is the same; the reference has at least {reference.distinct_count}"
            " different values"
        )
        yield build_fault("constant", current.column.name, detail, 1.0, corrupt=stuck)


def _find_unit_change_fault(
    reference: ColumnProfile, current: ColumnProfile
) -> Iterator[QualityFault]:
    unit = detect_unit_change(reference, current)
    if unit:
        detail = _format_unit_change(unit, reference, current)
        fault = build_fault("unit_change", current.column.name, detail, 1.0, corrupt=True)
        yield fault.model_copy(update={"scale": unit.scale, "shift": unit.shift})


def _find_far_value_fault(
    reference: ColumnProfile, current: ColumnProfile
) -> Iterator[QualityFault]:
    """Yield a fault if some values are far from all earlier ones, such as rows in another unit.

    It never corrupts the window: the quantity itself may have grown, as only people who know it
    can tell.
    """
    low, high = reference.minimum, reference.maximum
    varied = reference.distinct_count >= MIN_DISTINCT_OF_MEASUREMENT
    if low is None or high is None or not varied:
        return
    slack = FAR_VALUE_RANGES * (high - low)
    first = bisect_left(reference.edges, high + slack)
    last = bisect_right(reference.edges, low - slack)
    far = sum(current.counts[first + 1 :]) + sum(current.counts[:last])
    if far and far >= MIN_FAR_VALUE_SHARE * current.value_count:
        detail = (
            f"{far} of {current.rows} values lie far outside the reference's range,"
            f" {low:.4g} to {high:.4g}"
        )
        yield build_fault("range", current.column.name, detail, far / max(current.rows, 1))


def _is_constant(profile: ColumnProfile) -> bool:
    if profile.column.kind is FeatureKind.NUMERIC:
        return profile.value_count > 0 and profile.minimum == profile.maximum
    return profile.distinct_count == 1


def _is_no_accident(reference: ColumnProfile, current: ColumnProfile) -> bool:
    """Return whether values that are all in one bin would hardly be so by chance."""
    index = int(np.argmax(current.counts))
    log_probability = compute_log_fisher_probability(
        current.value_count, reference.counts[index], sum(reference.counts)
    )
    return log_probability < MAX_LOG_CONSTANT_PROBABILITY


def _format_unit_change(unit: AffineMap, reference: ColumnProfile, current: ColumnProfile) -> str:
    shift = f" {'+' if unit.shift > 0 else '-'} {abs(unit.shift):g}" if unit.shift else ""
    guess = f"from {unit.meaning}?" if unit.meaning else "another unit?"
    return (
        f"now = {unit.scale:.4g} x before{shift} explains the change ({guess}):"
        f" its mean went from {reference.mean:.4g} to {current.mean:.4g}"
    )


def _format_bounds(profile: ColumnProfile) -> str:
    low, high = profile.column.minimum, profile.column.maximum
    return f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"
