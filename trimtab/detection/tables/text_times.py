"""Parses a text column with the time of each row in DuckDB, in the format that pandas would use."""

from dataclasses import replace
from typing import Final

from trimtab.detection.tables.column_types import StorageType
from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.sql.statements import build_select, quote_name, quote_text

TIME_SAMPLE_ROWS: Final = 100_000
"""Texts from the beginning by which the format is chosen."""
MIN_ISO_SHARE: Final = 0.99
"""Share of them that must be ISO 8601 for no other format to be tried."""


def parse_time_column(table: DuckTable, timestamp: str) -> DuckTable:
    """Return the table with the column's texts as timestamps, unless they are ISO 8601.

    The format is the one that `parse_timestamps` chooses for a table in memory. A text that does
    not fit it is NULL. A table without such a column is returned as it is.
    """
    if table.stored(timestamp) is not StorageType.TEXT:
        return table
    column = quote_name(timestamp)
    known = build_select(
        [f"CAST({column} AS VARCHAR) AS texts"],
        table.source,
        where=f"{column} IS NOT NULL",
        limit=TIME_SAMPLE_ROWS,
    )
    is_iso = "AVG(CASE WHEN TRY_CAST(texts AS TIMESTAMP) IS NULL THEN 0 ELSE 1 END)"
    ((share,),) = table.connection.execute(build_select(is_iso, f"({known})")).fetchall()
    if share is None or share >= MIN_ISO_SHARE:
        return table
    form = _choose_format(table, known)
    if not form:
        return table
    parsed = f"TRY_STRPTIME(TRIM(CAST({column} AS VARCHAR)), {quote_text(form)})"
    source = f"({build_select(f'* REPLACE ({parsed} AS {column})', table.source)})"
    return replace(table, source=source, types={**table.types, timestamp: "TIMESTAMP"})


def _choose_format(table: DuckTable, query: str) -> str:
    from trimtab.detection.tables.timestamps import choose_text_format  # noqa: PLC0415 - imports pandas

    return choose_text_format(table.connection.execute(query).fetchnumpy()["texts"])
