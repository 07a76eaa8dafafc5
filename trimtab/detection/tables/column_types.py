"""What a column's stored type means for its profile."""

import re
from enum import StrEnum
from typing import Final


class StorageType(StrEnum):
    """How a table stores a column."""

    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    OTHER = "other"
    """Lists, structs, blobs and the like."""


_DUCKDB_TYPE_PATTERNS: Final = {
    StorageType.INTEGER: r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM|VARINT",
    StorageType.FLOAT: r"FLOAT|DOUBLE|REAL",
    StorageType.DECIMAL: r"DECIMAL.*",
    StorageType.BOOLEAN: r"BOOLEAN",
    StorageType.TEXT: r"VARCHAR|UUID|ENUM.*",
    StorageType.TIME: r"DATE|TIME.*|INTERVAL",
}


def parse_duckdb_type(type_name: str) -> StorageType:
    """Return the storage type that DuckDB's name of a type stands for."""
    if type_name.endswith("]"):
        return StorageType.OTHER
    fitting = (
        kind for kind, names in _DUCKDB_TYPE_PATTERNS.items() if re.fullmatch(names, type_name)
    )
    return next(fitting, StorageType.OTHER)
