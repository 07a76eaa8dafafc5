"""Opens CSV files as one DuckDB table: the reader that every command shares.

Everything is read as text, the first rows choose each column's type, and the text is converted. A
small file is kept in memory, where all of its values are seen: if a later one does not fit, the
types are chosen again by all of them. A large file is read by each query: if a later value does not
fit, the query fails, and the caller opens the file again with the types that all values choose.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from trimtab.detection.tables.csv_dialect import (
    detect_dialect,
    render_quote_options,
    unify_names,
)
from trimtab.detection.tables.csv_types import (
    MISSING_VALUES,
    NO_VALUES,
    ValueClass,
    choose_type,
    classify_values,
    render_cast,
    uses_decimal_commas,
)
from trimtab.detection.tables.duckdb_table import DuckTable, SqlConnection, read_column_types
from trimtab.detection.tables.sql.statements import (
    build_select,
    quote_name,
    quote_text,
    quote_texts,
)

MAX_KEPT_BYTES: Final = 64 * 2**20
"""Bytes of CSV, compressed or not, up to which a table is kept in memory."""
TYPE_SAMPLE_ROWS: Final = 5_000
"""Rows from the beginning whose values choose the types."""
MAX_SAMPLE_VALUES: Final = 1_000_000
"""Values in that sample: fewer rows of a wide table."""
MAX_EXACT_DOUBLE: Final = 2.0**53
"""Magnitude below which every whole number is exact as DOUBLE."""
_KEPT: Final = "trimtab_csv"
_KEPT_TEXTS: Final = "trimtab_csv_texts"


def open_csv(
    connection: SqlConnection,
    paths: Sequence[str],
    *,
    keep: bool | None = None,
    see_all: bool = False,
    pad_lines: bool = False,
) -> DuckTable:
    """Return the files as one table; a column that some of them lack is empty in their rows.

    Args:
        connection: Connection to a database that keeps the order of rows.
        paths: Files of one table.
        keep: Whether to keep the table in memory; None to keep a small one.
        see_all: Whether all values choose the types, and not only the first ones.
        pad_lines: Whether a line may have fewer values than there are names.

    Raises:
        UnreadableError: The header does not fit the lines.
        duckdb.Error: DuckDB cannot read the files, or not in this way.
    """
    name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    source, names = _render_source(connection, paths, pad_lines=pad_lines)
    texts = DuckTable(connection, source, dict.fromkeys(names, "VARCHAR"), name)
    if keep is None:
        keep = sum(_measure_size(path) for path in paths) <= MAX_KEPT_BYTES
    if keep:
        return _open_kept(texts, see_all=see_all)
    classes = {} if see_all else _classify_sample(texts)
    unseen = [name for name in names if not classes.get(name)]
    classes |= classify_values(connection, source, unseen)
    return _convert_texts(texts, classes, rough=_find_integers(classes))


def _open_kept(texts: DuckTable, *, see_all: bool) -> DuckTable:
    import duckdb  # noqa: PLC0415 - a tenth of a second, and many import this module

    kept = None
    if not see_all:
        with suppress(duckdb.ConversionException, duckdb.InvalidInputException):
            kept = _keep_converted(texts, _classify_sample(texts))
    return kept or _keep_classified(texts)


def _render_source(
    connection: SqlConnection,
    paths: Sequence[str],
    *,
    pad_lines: bool,
) -> tuple[str, list[str]]:
    """Return SQL of the files' values as text, and the names of the columns."""
    nulls = f"nullstr = [{quote_texts(MISSING_VALUES)}]"
    if len(paths) > 1:
        options = f"header = true, all_varchar = true{render_quote_options(paths[0])}"
        source = f"read_csv([{quote_texts(paths)}], union_by_name = true, {nulls}, {options})"
        return source, list(read_column_types(connection, source))
    dialect = detect_dialect(connection, paths[0])
    if pad_lines:
        dialect = replace(dialect, has_short_lines=True)
    names = unify_names(dialect.names)
    kinds = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(names)))
    options = f"{dialect.render_options()}, {nulls}, columns = {{{kinds}}}"
    columns = [f"c{index} AS {quote_name(name)}" for index, name in enumerate(names)]
    return f"({build_select(columns, f'read_csv({quote_text(paths[0])}, {options})')})", names


def _classify_sample(texts: DuckTable) -> dict[str, ValueClass]:
    rows = max(min(TYPE_SAMPLE_ROWS, MAX_SAMPLE_VALUES // len(texts.types)), 1)
    sample = f"({build_select('*', texts.source, limit=rows)})"
    return classify_values(texts.connection, sample, texts.types)


def _convert_texts(
    texts: DuckTable, classes: Mapping[str, ValueClass], *, rough: Sequence[str] = ()
) -> DuckTable:
    """Return the table with each column as the type that its class fits, `rough` ones as DOUBLE."""
    commas = uses_decimal_commas(classes.values())
    types = {name: choose_type(each, decimal_commas=commas) for name, each in classes.items()}
    types |= dict.fromkeys(rough, "DOUBLE")
    casts = {name: render_cast(name, kind, decimal_commas=commas) for name, kind in types.items()}
    return _replace_columns(texts, casts, types)


def _keep_converted(texts: DuckTable, classes: Mapping[str, ValueClass]) -> DuckTable | None:
    """Return the table in memory, converted; None if later values choose other types.

    Whole numbers are first read as DOUBLE, which takes a third of the time, and then checked.
    """
    integers = _find_integers(classes)
    kept = _keep_table(_convert_texts(texts, classes, rough=integers))
    empty = [name for name, each in classes.items() if each is NO_VALUES]
    if any(classify_values(kept.connection, kept.source, empty).values()):
        return None
    whole = _find_whole_columns(kept, integers)
    if whole is None:
        return None
    casts = {name: f"CAST({quote_name(name)} AS BIGINT)" for name in whole}
    return _replace_columns(kept, casts, dict.fromkeys(whole, "BIGINT"))


def _find_integers(classes: Mapping[str, ValueClass]) -> list[str]:
    """Return the columns that may be read as DOUBLE without losing a digit."""
    return [name for name, each in classes.items() if each is ValueClass.INTEGER]


def _find_whole_columns(kept: DuckTable, names: Sequence[str]) -> list[str] | None:
    """Return the columns that hold whole numbers only; None if a number may not be exact."""
    if not names:
        return []
    largest = [f"MAX(ABS({quote_name(name)}))" for name in names]
    whole = [f"BOOL_AND({quote_name(name)} = FLOOR({quote_name(name)}))" for name in names]
    query = build_select([*largest, *whole], kept.source)
    (found,) = kept.connection.execute(query).fetchall()
    if any(value >= MAX_EXACT_DOUBLE for value in found[: len(names)]):
        return None
    return [name for name, is_whole in zip(names, found[len(names) :], strict=True) if is_whole]


def _keep_classified(texts: DuckTable) -> DuckTable:
    """Return the table in memory, with the types that all of its values choose."""
    all_texts = _keep_table(texts, called=_KEPT_TEXTS)
    classes = classify_values(texts.connection, all_texts.source, texts.types)
    kept = _keep_table(_convert_texts(all_texts, classes))
    texts.connection.execute(f"DROP TABLE {quote_name(_KEPT_TEXTS)}")
    return kept


def _replace_columns(
    table: DuckTable, expressions: Mapping[str, str], types: Mapping[str, str]
) -> DuckTable:
    """Return the table with these columns computed by SQL, and their types."""
    columns = [
        f"{expressions.get(name, quote_name(name))} AS {quote_name(name)}" for name in table.types
    ]
    source = f"({build_select(columns, table.source)})"
    return replace(table, source=source, types={**table.types, **types})


def _keep_table(table: DuckTable, *, called: str = _KEPT) -> DuckTable:
    """Return the table read into the connection's memory."""
    source = quote_name(called)
    query = f"CREATE OR REPLACE TEMP TABLE {source} AS {build_select('*', table.source)}"
    table.connection.execute(query)
    return replace(table, source=source, columnar=True)


def _measure_size(path: str) -> float:
    """Return a file's bytes; infinite for what is no single file, such as a pattern."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return math.inf
