"""Profiles of single columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from detection.columns import Column
from detection.frames import profile_column
from detection.profile import ColumnProfile


def profiled(
    column: Column,
    values: "Sequence[Any] | np.ndarray[Any, Any]",
    *,
    like: ColumnProfile | None = None,
) -> ColumnProfile:
    """The values' profile, over the bins of `like` where given."""
    return profile_column(pd.Series(values), column, like=like)
