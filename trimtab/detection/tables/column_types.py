"""What a column's stored type means for its profile, and how SQL reads it as numbers or as words.

All SQL is written in DuckDB's dialect, of parts that other engines have too: see
`detection.engines`.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Stored(StrEnum):
    """How a column is stored."""

    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    OTHER = "other"
    """Lists, structs, blobs and the like."""


NUMBER: Final = r"^\s*[+-]?([0-9]{1,200}\.?[0-9]{0,200}|\.[0-9]{1,200})([eE][+-]?[0-9]{1,2})?\s*$"
"""Text that every engine reads as the same finite number."""
_NAMES: Final = {
    Stored.INTEGER: r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM|VARINT",
    Stored.FLOAT: r"FLOAT|DOUBLE|REAL",
    Stored.DECIMAL: r"DECIMAL.*",
    Stored.BOOLEAN: r"BOOLEAN",
    Stored.TEXT: r"VARCHAR|UUID|ENUM.*",
    Stored.TIME: r"DATE|TIME.*|INTERVAL",
}


def stored_as(type_name: str) -> Stored:
    """What DuckDB's name of a type stands for."""
    if type_name.endswith("]"):
        return Stored.OTHER
    fitting = (kind for kind, names in _NAMES.items() if re.fullmatch(names, type_name))
    return next(fitting, Stored.OTHER)


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """Texts as SQL lists them."""
    return ", ".join(literal(text) for text in texts)


def double(value: float) -> str:
    """A number as SQL has it, exactly."""
    return f"CAST('{value!r}' AS DOUBLE)"


def number(name: str, stored: Stored) -> str:
    """The column as a finite DOUBLE, NULL where there is none.

    What is not finite is not zero when taken from itself. A comparison with the largest double
    would not do: DuckDB 2.0 leaves it out where the statistics of a Parquet file, which may pass
    over NaN, say that it always holds.
    """
    column = quoted(name)
    value = f"CAST({column} AS DOUBLE)"
    if stored in (Stored.INTEGER, Stored.DECIMAL):
        return value
    if stored is Stored.FLOAT:
        return f"CASE WHEN {value} - {value} = {double(0.0)} THEN {value} END"
    if stored is Stored.BOOLEAN:
        return f"CASE WHEN {column} THEN {double(1.0)} WHEN NOT {column} THEN {double(0.0)} END"
    if stored is Stored.TEXT:
        words = f"CAST({column} AS VARCHAR)"
        reads = f"REGEXP_MATCHES({words}, {literal(NUMBER)})"
        return f"CASE WHEN {reads} THEN TRY_CAST({words} AS DOUBLE) END"
    return "CAST(NULL AS DOUBLE)"


def absent(name: str, stored: Stored) -> str:
    """Whether the column holds no value in a row: NULL, or NaN, which is how tables write it."""
    column = quoted(name)
    if stored is Stored.FLOAT:
        nan = f"CAST({column} AS DOUBLE) IS NOT DISTINCT FROM CAST('NaN' AS DOUBLE)"
        return f"({column} IS NULL OR {nan})"
    return f"({column} IS NULL)"


def word(name: str, stored: Stored) -> str:
    """The column as the name of a category; whole numbers without ".0"."""
    column = quoted(name)
    if stored is Stored.BOOLEAN:
        return f"CASE WHEN {column} THEN 'True' WHEN NOT {column} THEN 'False' END"
    text = f"CAST({column} AS VARCHAR)"
    if stored not in (Stored.FLOAT, Stored.DECIMAL):
        return text
    value = f"CAST({column} AS DOUBLE)"
    whole = f"ABS({value}) < 9e15 AND {value} = FLOOR({value})"
    return (
        f"CASE WHEN {absent(name, stored)} THEN NULL"
        f" WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE {text} END"
    )
