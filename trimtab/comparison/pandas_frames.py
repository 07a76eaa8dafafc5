"""Adapts a pandas data frame so that DuckDB reads it in place: only a few columns are replaced.

A frame is read as the Parquet file that pandas writes of it, with three differences, because such a
file cannot hold them: a categorical column stays categorical whatever its values, periods are
times, and a column of mixed objects is text, as in a CSV file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


def adapt_frame(
    frame: pd.DataFrame, names: Sequence[str], *, index_levels: Sequence[int]
) -> pd.DataFrame:
    """Return a frame of the same columns and of these levels of the index, called by `names`.

    Levels are given by their positions.
    """
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    columns += [frame.index.get_level_values(level).to_series() for level in index_levels]
    adapted = [_adapt_column(column).array for column in columns]
    return pd.DataFrame(dict(zip(names, adapted, strict=True)), copy=False)


def _adapt_column(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the column as a type that DuckDB reads."""
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _name_categories(column)
    if isinstance(kind, pd.PeriodDtype):
        times: pd.Series[Any] = column.dt.to_timestamp()
        return times
    if isinstance(kind, pd.SparseDtype):
        return column.astype(kind.subtype)
    if isinstance(kind, pd.IntervalDtype) or kind.kind == "c":
        return column.map(str, na_action="ignore").astype("object")
    return column.astype("float64") if kind == np.longdouble else column


def _name_categories(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the column with text for categories; whole numbers have no ".0"."""
    names = [_name_category(each) for each in column.cat.categories]
    if len(set(names)) == len(names):
        return column.cat.rename_categories(names)
    by_value = dict(zip(column.cat.categories, names, strict=True))
    return column.astype("object").map(by_value).astype("category")


def _name_category(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
