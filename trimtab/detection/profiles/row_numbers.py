"""Recognises columns that only number the rows rather than describe them."""

import re
from typing import Final

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.window_profile import ColumnProfile

MIN_ROWS_FOR_ROW_NUMBERS: Final = 200
"""Fewer values may be 1, 2, 3 … by chance."""
PANDAS_INDEX_REASON: Final = "it is a row index that pandas wrote"
"""Why a column named like an index is left out."""
_MAX_DEVIATION: Final = 0.01
"""Share of the numbers that may be missing, and by which their steps may differ."""
_PANDAS_INDEX_PATTERN: Final = re.compile(r"__index_level_\d+__|Unnamed: 0(\.\d+)?")


def is_row_number(profile: ColumnProfile) -> bool:
    """Return whether the values are whole numbers, one per row, from the least to the greatest."""
    low, high = profile.minimum, profile.maximum
    if profile.column.kind is not FeatureKind.NUMERIC or low is None or high is None:
        return False
    if profile.nulls or profile.value_count < MIN_ROWS_FOR_ROW_NUMBERS:
        return False
    if not (low.is_integer() and high.is_integer()):
        return False
    width = high - low + 1.0
    if abs(width - profile.value_count) > _MAX_DEVIATION * profile.value_count:
        return False
    shares = np.cumsum(profile.counts)[: len(profile.edges)] / profile.value_count
    even = np.clip((np.floor(profile.edges) - low + 1.0) / width, 0.0, 1.0)
    return bool(np.abs(shares - even).max(initial=0.0) <= _MAX_DEVIATION)


def is_pandas_index_name(name: str) -> bool:
    """Return whether pandas calls an index so, written among the columns or read from a CSV."""
    return _PANDAS_INDEX_PATTERN.fullmatch(name) is not None
