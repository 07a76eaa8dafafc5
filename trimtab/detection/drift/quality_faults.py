"""Builds records of quality faults, and decides which of them are worth an event."""

import re
from typing import Final

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FaultKind, QualityFault

MIN_CORRUPT_SHARE: Final = 0.2
"""Share of faulty rows from which a window is corrupt: one row in five."""
MIN_SHARE_RISE: Final = 0.05
"""Rise of a share, such as that of missing values or duplicates, from which it is a fault."""

MIN_GRAVITY: Final = 0.2
"""Share of a loss that a fault must be able to explain to matter."""

_STRUCTURAL_KINDS: Final = frozenset(
    {
        "missing_column", "retyped_column", "nulls", "constant", "unit_change", "default_value",
        "renamed_category", "outage",
    }
)  # fmt: skip


def build_fault(
    kind: FaultKind,
    column: str | None,
    detail: str,
    fraction: float = 0.0,
    *,
    corrupt: bool = False,
) -> QualityFault:
    """Return the record of a fault; `column` is None for a fault of the whole window.

    A column whose name no record may hold is named in the detail instead.
    """
    valid = column is None or re.fullmatch(NAME_PATTERN, column)
    return QualityFault(
        kind=kind,
        column=column if valid else None,
        detail=detail if valid else f"column {column!r:.200}: {detail}",
        fraction=min(fraction, 1.0),
        corrupt=corrupt,
    )


def warrants_event(fault: QualityFault) -> bool:
    """Return whether a fault alone is worth an event.

    It is if it corrupts the window, or changes the structure of a column that matters to the model.
    """
    return fault.corrupt or (
        is_structural(fault) and (fault.gravity is None or fault.gravity >= MIN_GRAVITY)
    )


def is_structural(fault: QualityFault) -> bool:
    """Return whether the fault changes the structure of a column, whether or not it matters."""
    smallest = {"retyped_column": MIN_SHARE_RISE}
    if fault.column is None:  # a short silence costs the model nothing
        smallest["outage"] = MIN_CORRUPT_SHARE
    negligible = fault.fraction < smallest.get(fault.kind, 0.0)
    return fault.kind in _STRUCTURAL_KINDS and not negligible
