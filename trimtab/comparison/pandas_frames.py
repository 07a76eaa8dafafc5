"""Converts a pandas data frame to Arrow, column by column and mostly without a copy.

The types are those of a Parquet file that pandas writes, so that a frame and its file compare
alike. Three kinds of columns cannot be written there as they are: categories are compared as
categories whatever their values, periods are times, and a column of mixed objects is text, as in a
CSV file.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from trimtab.comparison.arrow_tables import adapt_arrow_table


def convert_frame(
    frame: pd.DataFrame, names: Sequence[str], *, index_levels: Sequence[str | int]
) -> Any:  # noqa: ANN401 - Arrow ships no types
    """Return a `pyarrow.Table` of the frame's columns and of these levels of its index.

    `names` are those of all columns of the result.
    """
    series = [frame.iloc[:, position] for position in range(frame.shape[1])]
    series += [frame.index.get_level_values(level).to_series() for level in index_levels]
    arrays = [_convert_column(each) for each in series]
    return adapt_arrow_table(pa.table(arrays, names=list(names)))


def _convert_column(column: "pd.Series[Any]") -> Any:  # noqa: ANN401 - an Arrow array
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _convert_categories(column)
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif isinstance(column.dtype, pd.SparseDtype):
        column = column.astype(column.dtype.subtype)
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array(column.map(str, na_action="ignore"), type=pa.string(), from_pandas=True)


def _convert_categories(column: "pd.Series[Any]") -> Any:  # noqa: ANN401 - as above
    """Return the names of the categories in each row; whole numbers have no ".0"."""
    names = [_name_category(each) for each in column.cat.categories]
    codes = pa.array(column.cat.codes.to_numpy(), mask=column.cat.codes.to_numpy() < 0)
    return pa.array(names, type=pa.string()).take(codes)


def _name_category(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
