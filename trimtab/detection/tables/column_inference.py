"""Infers which columns of a table can be monitored, and as numbers or as categories."""

import re
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.row_numbers import PANDAS_INDEX_REASON, is_pandas_index_name
from trimtab.detection.tables.column_types import StorageType, parse_duckdb_type
from trimtab.detection.tables.duckdb_table import DuckTable
from trimtab.detection.tables.ibis_engine import EngineTable
from trimtab.detection.tables.row_sampling import sample_values
from trimtab.detection.tables.sql.column_values import NUMBER_PATTERN, render_category_name
from trimtab.detection.tables.sql.statements import build_select, quote_name
from trimtab.detection.tables.text_timestamps import is_timestamp_text

MIN_MATCHING_SHARE: Final = 0.9
"""Share of a column's texts that must be numbers, or times, for the column to hold these."""
MIN_DISTINCT_SHARE: Final = 0.99
"""Share of distinct texts from which a column identifies rows rather than describes them."""
MIN_TEXTS_FOR_IDENTIFIER: Final = 200
"""Fewer texts may all differ by chance."""
IDENTIFIER_REASON: Final = "it is an identifier or free text: nearly every value is unique"
UUID_REASON: Final = "it is an identifier: its type is UUID"
_TIMESTAMP_REASON: Final = "it holds timestamps, which always increase"
_DURATION_REASON: Final = "it holds durations: write them as numbers, such as seconds"
_TIME_OF_DAY_REASON: Final = "it holds times of day: write them as numbers, such as hours"
_FORMATTED_NUMBER_REASON: Final = (
    "its numbers are formatted text: write 1234.5 instead of 1,234.50 or 1234.5 €"
)
_OTHER_REASON: Final = "it has no name, or holds neither numbers nor categories"
_ENGINE_SAMPLE_ROWS: Final = 20_000
"""Rows of a table in an engine that are drawn to see whether its texts all differ."""
_TEXT_SAMPLE_ROWS: Final = 1000
"""Rows of a file whose texts are read."""
_NUMBER_TEXT: Final = re.compile(NUMBER_PATTERN, re.ASCII)
_CODE_WITH_LEADING_ZERO: Final = re.compile(r"^\s*0[0-9]+\s*$", re.ASCII)
"""A postal code or the like: its leading zero shows that it is no number."""
_FORMATTED_NUMBER: Final = re.compile(
    r"^\s*[-+]?[€$£¥]?\s*[0-9]{1,3}([, ]?[0-9]{3})*([.,][0-9]+)?\s*[€$£¥%]?\s*$", re.ASCII
)
"""A number formatted for people, such as 1,250.00 or 12 %."""
_FEATURE_KINDS: Final = {
    StorageType.INTEGER: FeatureKind.NUMERIC,
    StorageType.FLOAT: FeatureKind.NUMERIC,
    StorageType.DECIMAL: FeatureKind.NUMERIC,
    StorageType.BOOLEAN: FeatureKind.CATEGORICAL,
    StorageType.TEXT: FeatureKind.CATEGORICAL,
}


class InferredColumns(NamedTuple):
    """The columns of a table that can be monitored, and those that cannot."""

    columns: tuple[Column, ...]
    """In the table's order."""
    left_out: dict[str, str]
    """The reason by column; ignored columns are not in it."""


def infer_duckdb_columns(
    table: DuckTable, ignore: Sequence[str], *, target: str | None
) -> InferredColumns:
    """Return every column with its kind, or the reason why it is left out."""
    types = {name: parse_duckdb_type(type_name) for name, type_name in table.types.items()}
    uuids = [n for n, type_name in table.types.items() if type_name == "UUID" and n != target]
    skipped = {*ignore, *uuids}
    names = [n for n, kind in types.items() if kind is StorageType.TEXT and n not in skipped]
    categories = {name: render_category_name(name, StorageType.TEXT) for name in names}
    drawn = sample_values(table, categories, rows=_TEXT_SAMPLE_ROWS) if names else {}
    texts = {name: Counter[str](values.tolist()) for name, values in drawn.items()}
    numbers = [
        name
        for name, found in texts.items()
        if table.types[name] == "VARCHAR" and _are_numbers(found)
    ]
    others = {name: found for name, found in texts.items() if name not in {*numbers, target}}
    unfit = {**_find_unfit_columns(table, others), **dict.fromkeys(uuids, UUID_REASON)}
    unfit |= {name: why for name, kind in table.types.items() if (why := _explain_clock(kind))}
    return classify_columns(types, ignore, target=target, numbers=numbers, unfit=unfit)


def infer_engine_columns(
    table: EngineTable, ignore: Sequence[str], *, target: str | None
) -> InferredColumns:
    """Return every column of a table in an engine; its texts are never numbers.

    Raises:
        EngineError: The engine returned an error.
    """
    skipped = {*ignore, *table.uuids, target}
    names = [n for n, kind in table.types.items() if kind is StorageType.TEXT and n not in skipped]
    unfit = dict.fromkeys(_find_engine_identifiers(table, names), IDENTIFIER_REASON)
    unfit |= dict.fromkeys(table.uuids - {target}, UUID_REASON)
    return classify_columns(table.types, ignore, target=target, unfit=unfit)


def classify_columns(
    types: Mapping[str, StorageType],
    ignore: Sequence[str],
    *,
    target: str | None,
    numbers: Container[str] = (),
    unfit: Mapping[str, str] = MappingProxyType({}),
) -> InferredColumns:
    """Return the columns by their storage types alone.

    `numbers` are text columns whose texts are numbers. `unfit` are columns that their values rule
    out, with the reason.
    """
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    for name, storage in types.items():
        if name in ignore:
            continue
        if name in unfit:
            left_out[name] = unfit[name]
        elif is_pandas_index_name(name) and name != target:
            left_out[name] = PANDAS_INDEX_REASON
        elif storage in _FEATURE_KINDS and name:
            kind = FeatureKind.NUMERIC if name in numbers else _FEATURE_KINDS[storage]
            role = FeatureRole.TARGET if name == target else FeatureRole.FEATURE
            columns.append(Column(name=name, kind=kind, role=role))
        else:
            is_time = storage is StorageType.TIME
            left_out[name] = _TIMESTAMP_REASON if is_time else _OTHER_REASON
    return InferredColumns(tuple(columns), left_out)


def _explain_clock(type_name: str) -> str:
    """Return why a column of DuckDB's type for a duration or a time of day is left out, or ""."""
    if type_name == "INTERVAL":
        return _DURATION_REASON
    is_time_of_day = type_name.startswith("TIME") and not type_name.startswith("TIMESTAMP")
    return _TIME_OF_DAY_REASON if is_time_of_day else ""


def _are_numbers(texts: Counter[str]) -> bool:
    return _compute_share(texts, _is_number) >= MIN_MATCHING_SHARE


def _is_number(text: str) -> bool:
    return bool(_NUMBER_TEXT.match(text)) and not _CODE_WITH_LEADING_ZERO.match(text)


def _is_formatted_number(text: str) -> bool:
    return bool(_FORMATTED_NUMBER.match(text)) and not _NUMBER_TEXT.match(text)


def _find_unfit_columns(table: DuckTable, texts: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Return the text columns that describe nothing, each with the reason."""
    reasons: dict[str, str] = {}
    suspects: list[str] = []
    for name, found in texts.items():
        if _compute_share(found, is_timestamp_text) >= MIN_MATCHING_SHARE:
            reasons[name] = _TIMESTAMP_REASON
        elif _compute_share(found, _is_formatted_number) >= MIN_MATCHING_SHARE:
            reasons[name] = _FORMATTED_NUMBER_REASON
        elif _is_identifier(found.total(), len(found)):
            suspects.append(name)
    return {**reasons, **dict.fromkeys(_find_identifiers(table, suspects), IDENTIFIER_REASON)}


def _is_identifier(count: int, distinct: int) -> bool:
    return count >= MIN_TEXTS_FOR_IDENTIFIER and distinct >= MIN_DISTINCT_SHARE * count


def _compute_share(texts: Counter[str], matches: Callable[[str], bool]) -> float:
    return sum(n for text, n in texts.items() if matches(text)) / max(texts.total(), 1)


def _find_identifiers(table: DuckTable, suspects: Sequence[str]) -> list[str]:
    """Return the suspects whose texts nearly all differ in a larger sample too."""
    if not suspects:
        return []
    hashes = {
        name: f"CASE WHEN {quote_name(name)} IS NOT NULL THEN HASH({quote_name(name)}) END"
        for name in suspects
    }
    return [
        name
        for name, drawn in sample_values(table, hashes).items()
        if len(np.unique(drawn)) >= MIN_DISTINCT_SHARE * len(drawn)
    ]


def _find_engine_identifiers(table: EngineTable, names: Sequence[str]) -> list[str]:
    """Return the text columns in an engine whose texts nearly all differ in a random sample."""
    if not names:
        return []
    quoted = [quote_name(name) for name in names]
    counts = [
        f"COUNT({column}) AS n{index}, COUNT(DISTINCT {column}) AS d{index}"
        for index, column in enumerate(quoted)
    ]
    drawn = table.render_sample(quoted, _ENGINE_SAMPLE_ROWS)
    (row,) = table.query(build_select(counts, f"({drawn}) AS s"))
    return [
        name
        for index, name in enumerate(names)
        if _is_identifier(row[f"n{index}"], row[f"d{index}"])
    ]
