"""Chooses the types of a CSV file's columns by their values: one set of rules for every command.

DuckDB's own detection is not used: it rounds decimals that come after 20,480 whole numbers, reads
"yes" and "f" as truth values and 31-01-26 as a day of 2031.
"""

from collections.abc import Iterable
from enum import IntFlag
from typing import Final

from trimtab.detection.tables.duckdb_table import SqlConnection
from trimtab.detection.tables.sql.statements import build_select, quote_name, quote_text

MISSING_VALUES: Final = (
    "", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL",
    "null", "None", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
)  # fmt: skip
"""What CSV files write for a missing value: the list of pandas."""


class ValueClass(IntFlag):
    """What a text can be read as; the class of a column is that of all its values together."""

    INTEGER = 1
    """At most 15 digits: exact as a floating-point number too."""
    LONG_INTEGER = 2
    """At most 18 digits: exact in 64 bits."""
    HUGE_INTEGER = 4
    """At most 38 digits: exact in 128 bits."""
    DECIMAL = 8
    """With a decimal point or an exponent, with more digits, or infinite."""
    DECIMAL_COMMA = 16
    """With a decimal comma, such as 0,25."""
    COMMA_THOUSANDS = 32
    """Such as 1,250: a thousand and more, or one and a quarter."""
    BOOLEAN = 64
    """True or false, in any case of letters."""
    TIMESTAMP = 128
    """ISO 8601, without a zone."""
    ZONED_TIMESTAMP = 256
    """ISO 8601, with a zone."""
    TEXT = 512
    """Anything else, and codes with leading zeros such as 00123."""


NO_VALUES: Final = ValueClass(0)
"""Class of a column that is empty."""
_SIGN: Final = "[-+]?"
_ISO_DATE: Final = r"\d{4}-\d\d-\d\d"
_ISO_CLOCK: Final = r"[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?"
_PATTERNS: Final = {
    ValueClass.INTEGER: rf"{_SIGN}(0|[1-9]\d{{0,14}})",
    ValueClass.LONG_INTEGER: rf"{_SIGN}[1-9]\d{{15,17}}",
    ValueClass.HUGE_INTEGER: rf"{_SIGN}[1-9]\d{{18,37}}",
    ValueClass.DECIMAL: rf"{_SIGN}((\d+\.\d*|\.\d+)([eE]{_SIGN}\d+)?|\d+[eE]{_SIGN}\d+"
    r"|[1-9]\d{38,}|(?i:inf(inity)?))",
    ValueClass.COMMA_THOUSANDS: rf"{_SIGN}[1-9]\d{{0,2}}(,\d{{3}})+",
    ValueClass.DECIMAL_COMMA: rf"{_SIGN}\d+,\d+",
    ValueClass.BOOLEAN: r"(?i:true|false)",
    ValueClass.TIMESTAMP: rf"{_ISO_DATE}({_ISO_CLOCK})?",
    ValueClass.ZONED_TIMESTAMP: rf"{_ISO_DATE}{_ISO_CLOCK} ?(Z|[-+]\d\d(:?\d\d)?)",
}
"""Regular expressions, tried in this order; spaces around them do not count."""
_COMMA_CLASSES: Final = ValueClass.DECIMAL_COMMA | ValueClass.COMMA_THOUSANDS
_INTEGERS: Final = ValueClass.INTEGER | ValueClass.LONG_INTEGER | ValueClass.HUGE_INTEGER
_TIME_TYPES: Final = {
    ValueClass.TIMESTAMP: "TIMESTAMP",
    ValueClass.ZONED_TIMESTAMP: "TIMESTAMPTZ",
}
_TYPES: Final = (
    ("BIGINT", ValueClass.INTEGER | ValueClass.LONG_INTEGER),
    ("HUGEINT", _INTEGERS),
    ("DOUBLE", _INTEGERS | ValueClass.DECIMAL),
    ("BOOLEAN", ValueClass.BOOLEAN),
    *((name, held) for held, name in _TIME_TYPES.items()),
)
"""DuckDB's name of a type and the values that it holds exactly; the first that fits is chosen."""


def classify_values(
    connection: SqlConnection, source: str, names: Iterable[str]
) -> dict[str, ValueClass]:
    """Return the class of each column of text; `source` is SQL that stands after FROM."""
    columns = list(names)
    if not columns:
        return {}
    masks = [f"BIT_OR({_render_class(quote_name(name))})" for name in columns]
    ((*found,),) = connection.execute(build_select(masks, source)).fetchall()
    return {name: ValueClass(mask or 0) for name, mask in zip(columns, found, strict=True)}


def uses_decimal_commas(classes: Iterable[ValueClass]) -> bool:
    """Return whether a column holds numbers such as 0,25, and not only such as 1,250."""
    numbers = ValueClass.INTEGER | _COMMA_CLASSES
    return any(ValueClass.DECIMAL_COMMA in each and not each & ~numbers for each in classes)


def choose_type(values: ValueClass, *, decimal_commas: bool) -> str:
    """Return DuckDB's name of the type that holds all values of a column exactly."""
    if decimal_commas and values & _COMMA_CLASSES:
        return "VARCHAR" if values & ~(_INTEGERS | _COMMA_CLASSES) else "DOUBLE"
    if decimal_commas and ValueClass.DECIMAL in values:
        return "VARCHAR"  # 1.250 may be a thousand and more
    fitting = (name for name, held in _TYPES if values and not values & ~held)
    return next(fitting, "VARCHAR")


def render_cast(name: str, type_name: str, *, decimal_commas: bool = False) -> str:
    """Return SQL of a column of text as a type; a value that does not fit the type is an error."""
    column = quote_name(name)
    text = f"TRIM({column})"
    match type_name:
        case "VARCHAR":
            return column
        case "DOUBLE" if decimal_commas:
            return f"CAST(REPLACE({column}, ',', '.') AS DOUBLE)"
        case "BIGINT" | "HUGEINT":  # a cast alone rounds decimals
            is_whole = f"REGEXP_FULL_MATCH({text}, '[-+]?(0|[1-9][0-9]*)')"
            value = f"CASE WHEN {is_whole} THEN CAST({column} AS {type_name})"
        case "BOOLEAN":  # a cast alone takes "yes" and "f" too
            true, false = f"LOWER({text}) = 'true'", f"LOWER({text}) = 'false'"
            value = f"CASE WHEN {true} THEN TRUE WHEN {false} THEN FALSE"
        case _:
            return f"CAST({column} AS {type_name})"
    return f"{value} WHEN {column} IS NOT NULL THEN ERROR('not a {type_name}') END"


def _render_class(column: str) -> str:
    """Return SQL of the class of a text; NULL if there is none."""
    text = f"TRIM({column})"
    cases = []
    for value_class, pattern in _PATTERNS.items():
        matches = f"REGEXP_FULL_MATCH({text}, {quote_text(pattern)})"
        if time_type := _TIME_TYPES.get(value_class):
            matches += f" AND TRY_CAST({text} AS {time_type}) IS NOT NULL"  # 2026-02-30 is none
        cases.append(f"WHEN {matches} THEN {value_class.value}")
    return (
        f"CASE WHEN {column} IS NOT NULL THEN"
        f" CASE {' '.join(cases)} ELSE {ValueClass.TEXT.value} END END"
    )
