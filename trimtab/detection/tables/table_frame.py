"""Loads a whole Parquet or CSV file as a pandas data frame, with the values that profiles count."""

from typing import TYPE_CHECKING, cast

import pandas as pd
from pyarrow import parquet

from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.files import OpenFiles, PathName, is_text_file, read_column_names
from trimtab.detection.tables.sql.statements import build_select, quote_name

if TYPE_CHECKING:
    import duckdb


def load_frame(path: PathName) -> pd.DataFrame:
    """Return the file's rows in their order, with the columns' names as the file has them.

    Raises:
        UnreadableError: The file is no table, or two of its columns have the same name.
        pyarrow.ArrowException: A Parquet file cannot be read.
        OSError: The file cannot be opened.
    """
    if not is_text_file(path):
        frame: pd.DataFrame = parquet.read_table(path).to_pandas()
        return frame
    with OpenFiles([path], keep=True) as file:
        frame = file.query(_fetch_frame)
    names = [header or name for header, name in zip(read_column_names(path), frame, strict=True)]
    return frame.set_axis(names, axis="columns")


def _fetch_frame(table: DuckTable) -> pd.DataFrame:
    """Return all rows; pandas has no whole numbers beyond 64 bits, which become floating point."""
    columns = [
        f"CAST({quote_name(name)} AS DOUBLE) AS {quote_name(name)}"
        if kind == "HUGEINT"
        else quote_name(name)
        for name, kind in table.types.items()
    ]
    connection = cast("duckdb.DuckDBPyConnection", table.connection)
    rows = connection.sql(build_select(columns, table.source))
    frame: pd.DataFrame = rows.to_arrow_table().to_pandas()
    return frame
