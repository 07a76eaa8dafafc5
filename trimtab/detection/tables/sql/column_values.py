"""SQL that reads a stored column as finite numbers or as names of categories."""

from typing import Final

from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.sql.statements import format_double, quote_name, quote_text

NUMBER_PATTERN: Final = (
    r"^\s*[+-]?([0-9]{1,200}\.?[0-9]{0,200}|\.[0-9]{1,200})([eE][+-]?[0-9]{1,2})?\s*$"
)
"""Regular expression of texts that every engine reads as the same finite number."""


def render_finite_number(name: str, storage: StorageType) -> str:
    """Return SQL of the column as a finite DOUBLE, NULL where it holds no finite number.

    A finite number minus itself is zero. A comparison with the largest double would not do:
    DuckDB 2.0 drops it where the statistics of a Parquet file, which may ignore NaN, say that it
    always holds.
    """
    column = quote_name(name)
    value = f"CAST({column} AS DOUBLE)"
    if storage in (StorageType.INTEGER, StorageType.DECIMAL):
        return value
    if storage is StorageType.FLOAT:
        return f"CASE WHEN {value} - {value} = {format_double(0.0)} THEN {value} END"
    if storage is StorageType.BOOLEAN:
        one, zero = format_double(1.0), format_double(0.0)
        return f"CASE WHEN {column} THEN {one} WHEN NOT {column} THEN {zero} END"
    if storage is StorageType.TEXT:
        text = f"CAST({column} AS VARCHAR)"
        is_number = f"REGEXP_MATCHES({text}, {quote_text(NUMBER_PATTERN)})"
        return f"CASE WHEN {is_number} THEN TRY_CAST({text} AS DOUBLE) END"
    return "CAST(NULL AS DOUBLE)"


def render_is_missing(name: str, storage: StorageType) -> str:
    """Return SQL that is true where the column is NULL, or NaN, which tables write for missing."""
    column = quote_name(name)
    if storage is StorageType.FLOAT:
        nan = f"CAST({column} AS DOUBLE) IS NOT DISTINCT FROM CAST('NaN' AS DOUBLE)"
        return f"({column} IS NULL OR {nan})"
    return f"({column} IS NULL)"


def render_category_name(name: str, storage: StorageType) -> str:
    """Return SQL of the column as names of categories; whole numbers have no ".0"."""
    column = quote_name(name)
    if storage is StorageType.BOOLEAN:
        return f"CASE WHEN {column} THEN 'True' WHEN NOT {column} THEN 'False' END"
    text = f"CAST({column} AS VARCHAR)"
    if storage not in (StorageType.FLOAT, StorageType.DECIMAL):
        return text
    value = f"CAST({column} AS DOUBLE)"
    is_whole = f"ABS({value}) < 9e15 AND {value} = FLOOR({value})"
    return (
        f"CASE WHEN {render_is_missing(name, storage)} THEN NULL"
        f" WHEN {is_whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE {text} END"
    )
