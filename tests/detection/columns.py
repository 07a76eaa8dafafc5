"""Profiles of single columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.window_profile import ColumnProfile


def profile_values(
    column: Column,
    values: "Sequence[Any] | np.ndarray[Any, Any]",
    *,
    like: ColumnProfile | None = None,
) -> ColumnProfile:
    """Return the values' profile, over the bins of `like` if given."""
    return profile_column(pd.Series(values), column, like=like)
