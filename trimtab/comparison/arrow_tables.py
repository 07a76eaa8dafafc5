"""Adapts Arrow tables to the types that DuckDB reads, without copying the other columns."""

from typing import Any

import pyarrow as pa


def adapt_arrow_table(table: Any) -> Any:  # noqa: ANN401 - Arrow ships no types
    """Return a `pyarrow.Table` whose columns DuckDB reads: a few rare types are cast."""
    for position, field in enumerate(table.schema):
        if (kind := _choose_type(field.type)) is not None:
            column = table.column(position).cast(kind)
            table = table.set_column(position, field.name, column)
    return table


def _choose_type(kind: Any) -> Any:  # noqa: ANN401 - an Arrow type
    """Return the type to cast to; None for a type that DuckDB reads."""
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_decimal256(kind):
        return pa.float64()
    return None
