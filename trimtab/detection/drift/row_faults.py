"""Finds the faults that a window's rows show and its profile does not: those of some rows only.

It starts from the faults of the profile, drops those that the reference has always had, says where
the affected rows lie, and adds default values, stuck sources and units of a part of the rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.drift import FaultKind, QualityFault
from trimtab.detection.drift.data_quality import rank_faults
from trimtab.detection.drift.default_values import DefaultValue, find_default_value
from trimtab.detection.drift.fault_location import (
    Location,
    Segment,
    list_segments,
    locate_rows,
)
from trimtab.detection.drift.partial_unit_change import (
    PartialUnitChange,
    find_partial_unit_change,
)
from trimtab.detection.drift.quality_faults import build_fault
from trimtab.detection.drift.row_table import RowTable, WindowPeriods, list_numeric_columns
from trimtab.detection.drift.stuck_values import StuckRows, find_stuck_rows
from trimtab.detection.drift.usual_faults import ReferenceRows, drop_usual_faults
from trimtab.detection.profiles.window_profile import WindowProfile

MIN_CORRUPT_VALUES: Final = 0.1
"""Share of plainly wrong values from which a window is corrupt: one in ten."""
MIN_RUN_SHARE: Final = 0.9
"""Share of the rows from the first affected one to the last from which they are one run."""
_WHOLE_COLUMN_KINDS: Final[frozenset[FaultKind]] = frozenset(
    {"missing_column", "retyped_column", "constant", "unit_change"}
)


class WindowRows(NamedTuple):
    """A window with its rows."""

    profile: WindowProfile
    """Counted over the bins of the reference."""
    table: RowTable
    periods: WindowPeriods | None
    """The days or hours of the window; None if it has none."""


def find_row_faults(
    reference: ReferenceRows, window: WindowRows, faults: Sequence[QualityFault]
) -> tuple[QualityFault, ...]:
    """Return the faults of a window's columns; `faults` are those that its profile shows."""
    segments = list_segments(window.table)
    kept = drop_usual_faults(faults, reference, window.table)
    located = [_locate_nulls(fault, window, segments) for fault in kept]
    repeats = any(fault.kind == "duplicates" for fault in kept)
    explained = {fault.column for fault in located if fault.kind in _WHOLE_COLUMN_KINDS}
    added = [
        fault
        for name in list_numeric_columns(window.table)
        if name not in explained and name in reference.table.series
        for fault in _find_partial_faults(name, reference, window, segments)
        if not (repeats and _is_stuck(fault))
    ]
    columns = {fault.column for fault in added}
    rest = [each for each in located if each.kind != "range" or each.column not in columns]
    return rank_faults([*rest, *added])


def _is_stuck(fault: QualityFault) -> bool:
    """Return whether the fault is that rows repeat the row before them, as duplicates do too."""
    return fault.kind == "constant"


def _locate_nulls(
    fault: QualityFault, window: WindowRows, segments: Sequence[Segment]
) -> QualityFault:
    """Return a fault of missing values with the rows that it affects."""
    values = window.table.series.get(fault.column or "")
    if fault.kind != "nulls" or values is None:
        return fault
    affected = values.isna()
    location = locate_rows(affected, window.table, periods=window.periods, segments=segments)
    return _place_fault(fault, location)


def _find_partial_faults(
    name: str, reference: ReferenceRows, window: WindowRows, segments: Sequence[Segment]
) -> Iterator[QualityFault]:
    """Yield at most one fault of a numeric column: the first that explains its values."""
    blocks = [block.get_numbers(name) for block in reference.blocks]
    default = find_default_value(window.table.get_numbers(name), blocks)
    if default:
        yield _build_default_fault(name, default, window, segments)
        return
    unit = _find_unit(name, reference, window, segments)
    if unit:
        yield _build_unit_fault(name, _locate_mixture(name, unit, window, segments))
        return
    stuck = find_stuck_rows(name, window.table, reference.blocks)
    if stuck:
        yield _build_stuck_fault(name, stuck, window, segments)


def _find_unit(
    name: str, reference: ReferenceRows, window: WindowRows, segments: Sequence[Segment]
) -> PartialUnitChange | None:
    before, now = reference.profile.find(name), window.profile.find(name)
    if before is None or now is None or len(before.counts) != len(now.counts):
        return None
    return find_partial_unit_change(
        (before, reference.table, reference.blocks),
        (now, window.table),
        segments=segments,
        periods=window.periods,
    )


def _build_default_fault(
    name: str, default: DefaultValue, window: WindowRows, segments: Sequence[Segment]
) -> QualityFault:
    values = window.table.series[name]
    affected = values.eq(default.value)
    location = locate_rows(affected, window.table, periods=window.periods, segments=segments)
    places = np.flatnonzero(affected.to_numpy(dtype=bool))
    run = len(places) >= MIN_RUN_SHARE * (places[-1] - places[0] + 1)
    beyond = ", outside of the reference's range" if default.beyond else ""
    detail = (
        f"{default.share:.1%} of the values are {default.value:.6g}{beyond};"
        f" {default.before:.1%} at most in any part of the reference"
    )
    corrupt = default.share - default.before >= MIN_CORRUPT_VALUES
    kind: FaultKind = "constant" if run else "default_value"
    fault = build_fault(kind, name, detail, float(affected.mean()), corrupt=corrupt)
    placed = _place_fault(fault, location)
    unplaced = {"segment": "consecutive rows"} if run and not placed.segment else {}
    return placed.model_copy(update=unplaced)


def _locate_mixture(
    name: str, found: PartialUnitChange, window: WindowRows, segments: Sequence[Segment]
) -> PartialUnitChange:
    """Return the change with the segment that the rows in the other unit make up, if they do."""
    if found.border is None:
        return found
    values = window.table.series[name]
    affected = values.gt(found.border) if found.above else values.le(found.border)
    location = locate_rows(affected, window.table, periods=window.periods, segments=segments)
    return found._replace(segment=location.segment)


def _build_unit_fault(name: str, found: PartialUnitChange) -> QualityFault:
    where = found.segment or "scattered rows"
    meaning = f" ({found.unit.meaning})" if found.unit.meaning else ""
    detail = (
        f"{found.fraction:.1%} of the values, {where}, fit"
        f" {found.unit.scale:.6g} times the reference plus {found.unit.shift:.6g}{meaning}"
    )
    corrupt = found.fraction >= MIN_CORRUPT_VALUES
    fault = build_fault("unit_change", name, detail, found.fraction, corrupt=corrupt)
    return fault.model_copy(
        update={
            "scale": found.unit.scale,
            "shift": found.unit.shift,
            "segment": found.segment,
        }
    )


def _build_stuck_fault(
    name: str, stuck: StuckRows, window: WindowRows, segments: Sequence[Segment]
) -> QualityFault:
    affected: pd.Series[Any] = stuck.affected
    location = locate_rows(affected, window.table, periods=window.periods, segments=segments)
    detail = (
        f"{stuck.share:.1%} of the values repeat the one before them;"
        f" {stuck.before:.1%} at most in any part of the reference"
    )
    corrupt = stuck.share - stuck.before >= MIN_CORRUPT_VALUES
    fault = build_fault("constant", name, detail, stuck.share, corrupt=corrupt)
    return _place_fault(fault, location)


def _place_fault(fault: QualityFault, location: Location) -> QualityFault:
    """Return the fault with its segment; one of whole days that are over is an outage."""
    if not location.segment:
        return fault
    over = location.in_periods and not location.lasts
    return fault.model_copy(
        update={
            "segment": location.segment,
            "detail": f"{fault.detail}: {location.segment}",
            "kind": "outage" if over else fault.kind,
        }
    )
