"""Judges the number of rows of a window by the windows of its reference at the same time.

A feed that dies leaves no rows, and a broken one few. A store that is closed at night or at
weekends has none either: its reference says so, because it is counted at the same hours and
weekdays.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.contracts.drift import QualityFault
from trimtab.detection.drift.quality_faults import build_fault

MIN_USUAL_COUNTS: Final = 3
"""Windows of the reference without which nothing is known about the usual number of rows."""
MIN_ROWS_NEVER_MISSING: Final = 5
"""Rows that each of the reference's windows must have for a window without rows to be a fault: if
rows came at random, none would come in one window of 150."""
MIN_TYPICAL_ROWS: Final = 20
"""Median of the reference's rows from which few rows are judged."""
FEW_ROWS_RATIO: Final = 0.5
"""Ratio to the reference's rows below which a window has too few rows."""
VOUCHED_COLLAPSE_RATIO: Final = 0.25
"""Ratio to the reference's rows up to which a window that its own windows vouch for is corrupt."""
MIN_SPREADS: Final = 4.0
"""Standard deviations, of the logarithm of the reference's rows, that few rows must lie below."""
MIN_LOG_SPREAD: Final = 0.1
"""Standard deviation of that logarithm at least: a tenth."""


def find_row_count_fault(rows: int, usual: Sequence[int]) -> QualityFault | None:
    """Return the fault of a window with no rows or too few; None if it has the usual number.

    `usual` are the rows of the reference's windows of the same length at the same time of the week
    or day.
    """
    if len(usual) < MIN_USUAL_COUNTS:
        return None
    typical, fewest = float(np.median(usual)), min(usual)
    if not rows:
        return _build_no_rows_fault(usual) if fewest >= MIN_ROWS_NEVER_MISSING else None
    if typical < MIN_TYPICAL_ROWS or rows >= FEW_ROWS_RATIO * min(typical, fewest):
        return None
    spread = max(float(np.std(np.log1p(usual), ddof=1)), MIN_LOG_SPREAD)
    if math.log((typical + 1) / (rows + 1)) < MIN_SPREADS * spread:
        return None
    detail = f"{rows} rows; {len(usual)} windows of the reference have {_format_range(usual)}"
    collapsed = rows <= VOUCHED_COLLAPSE_RATIO * typical
    return build_fault("few_rows", None, detail, 1.0 - rows / typical, corrupt=collapsed)


def find_silent_periods(
    rows: Sequence[int], usual: Sequence[Sequence[int]], *, name: str
) -> QualityFault | None:
    """Return the outage of a window with no rows, or hardly any, in some of its periods.

    `rows` are those of each period, called `name`, such as its days, and `usual` those of the
    reference's periods at the same time of the week. None if no period is silent, or none is not.
    """
    known = [
        (count, counts)
        for count, counts in zip(rows, usual, strict=True)
        if len(counts) >= MIN_USUAL_COUNTS and np.median(counts) >= MIN_TYPICAL_ROWS
    ]
    faults = [find_row_count_fault(count, counts) for count, counts in known]
    silent = sum(fault is not None and fault.corrupt for fault in faults)
    if not silent or silent == len(known):
        return None
    expected = sum(float(np.median(counts)) for _, counts in known)
    missing = sum(
        float(np.median(counts)) - count
        for (count, counts), fault in zip(known, faults, strict=True)
        if fault is not None and fault.corrupt
    )
    segment = f"{silent} of {len(rows)} {name}"
    detail = f"hardly any rows on {segment}; the reference suggests {missing:.0f} more"
    outage = build_fault("outage", None, detail, missing / expected)
    return outage.model_copy(update={"segment": segment})


def _build_no_rows_fault(usual: Sequence[int]) -> QualityFault:
    detail = f"no rows; {len(usual)} windows of the reference have {_format_range(usual)}"
    return build_fault("no_rows", None, detail, 1.0, corrupt=True)


def _format_range(usual: Sequence[int]) -> str:
    return f"{min(usual)} to {max(usual)}, {np.median(usual):.0f} in the median"
