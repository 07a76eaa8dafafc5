"""Tells a column that only numbers the rows from one that describes them."""

from typing import Final

import numpy as np

from contracts.drift import FeatureKind
from detection.profile import ColumnProfile

FEWEST: Final = 200
"""Fewer values may be 1, 2, 3 … by chance."""
_SLACK: Final = 0.01
"""Share of the numbers that may be left out, and by which their steps may differ."""


def numbers_rows(profile: ColumnProfile) -> bool:
    """Whether the values are whole numbers, one a row, from the least to the greatest."""
    low, high = profile.minimum, profile.maximum
    if profile.column.kind is not FeatureKind.NUMERIC or low is None or high is None:
        return False
    if profile.nulls or profile.present < FEWEST or not (low.is_integer() and high.is_integer()):
        return False
    span = high - low + 1.0
    if abs(span - profile.present) > _SLACK * profile.present:
        return False
    below = np.cumsum(profile.counts)[: len(profile.edges)] / profile.present
    even = np.clip((np.floor(profile.edges) - low + 1.0) / span, 0.0, 1.0)
    return bool(np.abs(below - even).max(initial=0.0) <= _SLACK)
