"""How a column of a pandas table is read: as numbers, or as the names of categories."""

from typing import Any

import numpy as np
import pandas as pd


def as_numbers(values: "pd.Series[Any]") -> "pd.Series[float]":
    """Numbers as float64; what is no finite number becomes NaN."""
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.astype("float64").replace([np.inf, -np.inf], np.nan)


def as_categories(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Categories as text, missing ones as NaN; whole numbers lose their ".0"."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return _as_text(values)
    if pd.api.types.is_numeric_dtype(values.dtype):
        known = values.dropna().astype("float64")
        if (known % 1 == 0).all() and (known.abs() < 2**53).all():
            return _as_text(values.astype("float64").astype("Int64"))
    return _as_text(values)


def _as_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    text = values.astype("object").where(values.notna(), np.nan)
    return text.map(str, na_action="ignore").astype("object")
