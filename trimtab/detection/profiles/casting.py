"""Casts a column of a pandas table to numbers, or to the names of categories."""

import math
from typing import Any, Final, SupportsFloat

import numpy as np
import pandas as pd

_NON_NUMERIC_DTYPE_KINDS: Final = frozenset("mMc")
"""NumPy's letters for durations, times and complex numbers."""
_REAL_DTYPE_KINDS: Final = frozenset("iuf")
"""NumPy's letters for signed and unsigned whole numbers, and floats."""


def cast_to_numbers(values: "pd.Series[Any]") -> "pd.Series[float]":
    """Return the values as float64; NaN for times, complex numbers, and all but finite numbers."""
    if values.dtype.kind in _NON_NUMERIC_DTYPE_KINDS or isinstance(values.dtype, pd.PeriodDtype):
        return pd.Series(np.nan, index=values.index, name=values.name, dtype="float64")
    try:
        numbers = pd.to_numeric(values, errors="coerce")
    except OverflowError:  # a whole number of hundreds of digits
        numbers = values.map(_parse_float)
    return numbers.astype("float64").replace([np.inf, -np.inf], np.nan)


def cast_to_categories(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the categories as text, missing ones as NaN; whole numbers lose their ".0"."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return _cast_to_text(values)
    if values.dtype.kind in _REAL_DTYPE_KINDS:
        known = values.dropna().astype("float64")
        if (known % 1 == 0).all() and (known.abs() < 2**53).all():
            return _cast_to_text(values.astype("float64").astype("Int64"))
    return _cast_to_text(values)


def _parse_float(value: SupportsFloat | str) -> float:
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):  # a table may hold anything
        return math.nan


def _cast_to_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    text = values.astype("object").where(values.notna(), np.nan)
    return text.map(str, na_action="ignore").astype("object")
