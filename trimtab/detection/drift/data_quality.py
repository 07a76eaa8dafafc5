"""Finds faults of a window's data itself, as opposed to drift: faults of its source.

No model may learn from a corrupt window, because it would have to unlearn it later.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from trimtab.contracts.drift import FeatureRole, QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.column_faults import find_column_faults
from trimtab.detection.drift.proportion_tests import two_proportion_test
from trimtab.detection.drift.quality_faults import (
    MIN_CORRUPT_SHARE,
    MIN_SHARE_RISE,
    build_fault,
)
from trimtab.detection.drift.row_counts import FEW_ROWS_RATIO, find_row_count_fault
from trimtab.detection.profiles.window_profile import WindowProfile

MAX_HARMLESS_REPEATS: Final = 3
"""Repeated rows that a reference without any might as well have had."""
COLLAPSED_ROWS_RATIO: Final = 0.1
"""Ratio to the reference's rows per time below which a window of a day or more is corrupt."""
MAX_EXTRAPOLATION: Final = 7.0
"""Longest window, in lengths of the reference, for which the number of rows is extrapolated: a week
from a reference of a day."""
MIN_STALE_SHARE: Final = 0.25
"""Share of the window without rows at its end from which it is stale."""
SECONDS_PER_DAY: Final = 86_400.0
MIN_EXPECTED_ROWS: Final = 20.0
"""Rows to expect from which a window without any is a fault."""


def find_window_faults(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    spec: ModelSpec,
    usual_rows: Sequence[int] = (),
) -> tuple[QualityFault, ...]:
    """Return the faults of a scheduled window of a model, the corrupting ones first.

    `usual_rows` are the rows of the reference's windows at the same time of the week or day; if
    they are unknown, the number of rows is compared with the whole reference.
    """
    faults = find_quality_faults(reference, current, ignored=spec.ignored, scheduled=True)
    counted = find_row_count_fault(current.window.rows, usual_rows)
    if not usual_rows and not current.window.rows:
        counted = _explain_no_rows(reference, current)
    if usual_rows or counted:
        faults = tuple(fault for fault in faults if fault.kind != "few_rows")
    return rank_faults([*faults, *([counted] if counted else [])])


def rank_faults(faults: Iterable[QualityFault]) -> tuple[QualityFault, ...]:
    """Return the faults, the corrupting ones first, and then those of the most rows."""
    return tuple(sorted(faults, key=lambda fault: (not fault.corrupt, -fault.fraction)))


def find_quality_faults(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    ignored: Container[str] = (),
    scheduled: bool = False,
    excluded: Collection[str] = (),
) -> tuple[QualityFault, ...]:
    """Return the faults of the current window, the corrupting ones first.

    `ignored` columns are no fault if they are new. `excluded` columns, which cannot be compared,
    are one if they had values and are empty now.

    Without times (`newest` is None) rows cannot be counted per time, so that few rows are no
    fault. A `scheduled` window is stale if no rows came at its end. Any other window ends with its
    newest row: it is stale if the reference has rows as new, so that both may cover one period.
    """
    if not current.window.rows:
        return ()
    faults = [*_find_emptied_columns(reference, current, excluded)]
    for before in reference.columns:
        if before.column.role is not FeatureRole.PREDICTION:
            faults.extend(find_column_faults(before, current.find(before.column.name)))
    lost = _sum_lost_shares(reference, faults)
    faults.extend(_find_duplicates_fault(reference, current, lost=lost))
    faults.extend(_find_unreadable_times_fault(reference, current))
    faults.extend(_find_new_columns(reference, current, ignored))
    if current.newest is not None:
        faults.extend(_find_few_rows_fault(reference, current))
        stale = (
            _explain_silence(current, current.newest)
            if scheduled
            else _explain_overlap(reference, current.newest)
        )
        faults.extend([build_fault("stale", None, stale)] if stale else [])
    return rank_faults(faults)


def _find_emptied_columns(
    reference: WindowProfile, current: WindowProfile, names: Collection[str]
) -> Iterator[QualityFault]:
    """Yield a fault for each of these columns that had values before and has none now."""
    for name in sorted({*names} & {*reference.filled} - {*current.filled}):
        detail = "the column, which is not compared, has no values any more"
        yield build_fault("missing_column", name, detail, 1.0)


def _find_new_columns(
    reference: WindowProfile, current: WindowProfile, ignored: Container[str]
) -> Iterator[QualityFault]:
    for name in sorted(set(current.filled) - set(reference.filled)):
        if name not in ignored:
            detail = "the column has values now and had none before"
            yield build_fault("new_column", name, detail, 1.0)


def _find_unreadable_times_fault(
    reference: WindowProfile, current: WindowProfile
) -> Iterator[QualityFault]:
    rows, rows_before = max(current.window.rows, 1), max(reference.window.rows, 1)
    share, before = current.untimed / rows, reference.untimed / rows_before
    if share - before >= MIN_SHARE_RISE and two_proportion_test(
        current.untimed, rows, reference.untimed, rows_before
    ):
        detail = f"{share:.1%} of the rows have no readable time, {before:.1%} in the reference"
        corrupt = share - before >= MIN_CORRUPT_SHARE
        yield build_fault("nulls", None, detail, share, corrupt=corrupt)


def _find_duplicates_fault(
    reference: WindowProfile, current: WindowProfile, *, lost: float
) -> Iterator[QualityFault]:
    """Yield a fault if more rows repeat another than in as many rows like the reference's.

    The share of repeated rows grows with the number of rows, and less than in proportion to it,
    because a narrow table has a limited number of different rows. `lost` is the share of rows that
    may repeat another because a column no longer distinguishes them.
    """
    rows, rows_before = current.window.rows, max(reference.window.rows, 1)
    larger = max(1.0, rows / rows_before)
    repeats_before = reference.duplicates + MAX_HARMLESS_REPEATS
    usual = min(repeats_before / rows_before * larger + lost, 1.0)
    share = current.duplicates / rows
    if share > usual + MIN_SHARE_RISE and two_proportion_test(
        current.duplicates, rows, usual * rows_before, rows_before
    ):
        before = f"{reference.duplicates / rows_before:.1%} before"
        detail = f"{current.duplicates} of {rows} rows repeat another row ({before})"
        corrupt = share >= usual + MIN_CORRUPT_SHARE
        yield build_fault("duplicates", None, detail, share, corrupt=corrupt)


def _sum_lost_shares(reference: WindowProfile, faults: Iterable[QualityFault]) -> float:
    """Return the largest share of rows in which a faulty column distinguishes nothing any more."""
    share = 0.0
    for fault in faults:
        before = reference.find(fault.column) if fault.column else None
        if fault.kind in {"missing_column", "constant"}:
            share += 1.0
        elif fault.kind == "nulls":
            share += fault.fraction - (before.null_fraction if before else 0.0)
    return share


def _find_few_rows_fault(
    reference: WindowProfile, current: WindowProfile
) -> Iterator[QualityFault]:
    """Yield a fault if the window has few rows for its length, if the reference is long enough."""
    expected = _extrapolate_rows(reference, current)
    rows = current.window.rows - current.untimed
    if rows < FEW_ROWS_RATIO * expected:
        long = _get_length(current) >= SECONDS_PER_DAY
        collapsed = rows < COLLAPSED_ROWS_RATIO * expected and long
        detail = f"{rows} rows; the reference suggests {expected:.0f}"
        yield build_fault("few_rows", None, detail, corrupt=collapsed)


def _explain_no_rows(reference: WindowProfile, current: WindowProfile) -> QualityFault | None:
    """Return the fault of a window without rows; None if it is so short that there may be none."""
    expected = _extrapolate_rows(reference, current)
    if expected < MIN_EXPECTED_ROWS or _get_length(current) < SECONDS_PER_DAY:
        return None
    detail = f"no rows; the reference suggests {expected:.0f}"
    return build_fault("no_rows", None, detail, 1.0, corrupt=True)


def _extrapolate_rows(reference: WindowProfile, current: WindowProfile) -> float:
    """Return the rows of a part of the reference as long as the window; 0 if it is too short."""
    length, length_before = _get_length(current), _get_length(reference)
    if length > MAX_EXTRAPOLATION * length_before:
        return 0.0
    return (reference.window.rows - reference.untimed) * length / length_before


def _explain_silence(current: WindowProfile, newest: datetime) -> str:
    """Return a sentence if no rows came at the end of the window, else an empty text."""
    silence = (current.window.end - newest).total_seconds()
    if silence <= MIN_STALE_SHARE * _get_length(current):
        return ""
    return f"the newest row is from {newest:%Y-%m-%d %H:%M}; none came after it"


def _explain_overlap(reference: WindowProfile, newest: datetime) -> str:
    """Return a sentence if the table has nothing newer than the reference, else an empty text."""
    if reference.newest is None or newest > reference.newest:
        return ""
    return f"the newest row is from {newest:%Y-%m-%d %H:%M}, no later than the reference's newest"


def _get_length(profile: WindowProfile) -> float:
    """Return the window's length in seconds."""
    return (profile.window.end - profile.window.start).total_seconds()
