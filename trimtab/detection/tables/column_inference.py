"""Which columns of a table can be watched, and as what."""

import re
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from trimtab.contracts.drift import FeatureKind, FeatureRole
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.row_numbers import PANDAS_INDEX_REASON, is_pandas_index_name
from trimtab.detection.tables.column_types import NUMBER, Stored, quoted, stored_as, word
from trimtab.detection.tables.files import DuckTable
from trimtab.detection.tables.row_sampling import sample
from trimtab.detection.tables.text_timestamps import is_time

if TYPE_CHECKING:
    from trimtab.detection.tables.ibis_engine import EngineTable

MOSTLY: Final = 0.9
"""Share of the texts of a column that must read as numbers for it to be one of numbers."""
ALL_DIFFERENT: Final = 0.99
"""Share of different texts from which a column tells rows apart rather than describes them."""
FEWEST: Final = 200
"""Fewer texts may all differ by chance."""
IDENTIFIER: Final = "an identifier or free text: nearly every row has its own"
UUID: Final = "an identifier: it is stored as a UUID"
_SAMPLE: Final = 20_000
"""Rows of a table in an engine of which it is asked whether all texts differ."""
_MOVES_ON: Final = "it holds times, which always move on"
_LOOKED_AT: Final = 1000
"""Rows whose texts are looked at."""
_NUMBER: Final = re.compile(NUMBER, re.ASCII)
_CODE: Final = re.compile(r"^\s*0[0-9]+\s*$", re.ASCII)
"""A postal code or the like: its leading zero says that it is no number."""
_FOR_PEOPLE: Final = re.compile(
    r"^\s*[-+]?[€$£¥]?\s*[0-9]{1,3}([, ]?[0-9]{3})*([.,][0-9]+)?\s*[€$£¥%]?\s*$", re.ASCII
)
"""A number as people write it, such as 1,250.00 or 12 %."""
_KINDS: Final = {
    Stored.INTEGER: FeatureKind.NUMERIC,
    Stored.FLOAT: FeatureKind.NUMERIC,
    Stored.DECIMAL: FeatureKind.NUMERIC,
    Stored.BOOLEAN: FeatureKind.CATEGORICAL,
    Stored.TEXT: FeatureKind.CATEGORICAL,
}


class Inferred(NamedTuple):
    """What a table offers to be watched."""

    columns: tuple[Column, ...]
    """In the table's order."""
    left_out: dict[str, str]
    """Column to the reason why it is not watched; what was to be ignored is not mentioned."""


def infer(table: DuckTable, ignore: Sequence[str], *, target: str | None) -> Inferred:
    """Every column with its kind, or the reason why it has none."""
    types = {name: stored_as(kind) for name, kind in table.types.items()}
    uuids = [name for name, kind in table.types.items() if kind == "UUID" and name != target]
    passed = {*ignore, *uuids}
    names = [name for name, kind in types.items() if kind is Stored.TEXT and name not in passed]
    words = {name: word(name, Stored.TEXT) for name in names}
    drawn = sample(table, words, rows=_LOOKED_AT) if names else {}
    texts = {name: Counter[str](values.tolist()) for name, values in drawn.items()}
    numbers = [
        name
        for name, found in texts.items()
        if table.types[name] == "VARCHAR" and _reads_as_number(found)
    ]
    others = {name: found for name, found in texts.items() if name not in {*numbers, target}}
    unfit = {**_unfit(table, others), **dict.fromkeys(uuids, UUID)}
    return judge_types(types, ignore, target=target, numbers=numbers, unfit=unfit)


def infer_in_engine(table: "EngineTable", ignore: Sequence[str], *, target: str | None) -> Inferred:
    """The same of a table in an engine, whose texts are never numbers; raises `EngineError`."""
    passed = {*ignore, *table.uuids, target}
    names = [
        name for name, kind in table.types.items() if kind is Stored.TEXT and name not in passed
    ]
    unfit = dict.fromkeys(_differing(table, names), IDENTIFIER)
    unfit |= dict.fromkeys(table.uuids - {target}, UUID)
    return judge_types(table.types, ignore, target=target, unfit=unfit)


def judge_types(
    types: Mapping[str, Stored],
    ignore: Sequence[str],
    *,
    target: str | None,
    numbers: Container[str] = (),
    unfit: Mapping[str, str] = MappingProxyType({}),
) -> Inferred:
    """As `infer` by the types alone; `numbers` are columns of text that read as numbers.

    `unfit` are columns whose values speak against them, with the reason.
    """
    found: list[Column] = []
    left_out: dict[str, str] = {}
    for name, stored in types.items():
        if name in ignore:
            continue
        if name in unfit:
            left_out[name] = unfit[name]
        elif is_pandas_index_name(name) and name != target:
            left_out[name] = PANDAS_INDEX_REASON
        elif stored in _KINDS and name:
            kind = FeatureKind.NUMERIC if name in numbers else _KINDS[stored]
            role = FeatureRole.TARGET if name == target else FeatureRole.FEATURE
            found.append(Column(name=name, kind=kind, role=role))
        elif stored is Stored.TIME:
            left_out[name] = _MOVES_ON
        else:
            left_out[name] = "it holds neither numbers nor categories, or has no name"
    return Inferred(tuple(found), left_out)


def _reads_as_number(words: Counter[str]) -> bool:
    return _share(words, lambda word: _NUMBER.match(word) and not _CODE.match(word)) >= MOSTLY


def _unfit(table: DuckTable, texts: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Columns of words that describe nothing, with the reason."""
    found, suspect = {}, []
    for name, words in texts.items():
        if _share(words, is_time) >= MOSTLY:
            found[name] = _MOVES_ON
        elif (
            _share(words, lambda word: _FOR_PEOPLE.match(word) and not _NUMBER.match(word))
            >= MOSTLY
        ):
            found[name] = "its numbers are written for people: write 1234.5, not 1,234.50 or €"
        elif words.total() >= FEWEST and len(words) >= ALL_DIFFERENT * words.total():
            suspect.append(name)
    return {**found, **_identifiers(table, suspect)}


def _share(words: Counter[str], fits: Callable[[str], object]) -> float:
    return sum(n for word, n in words.items() if fits(word)) / max(words.total(), 1)


def _identifiers(table: DuckTable, suspect: Sequence[str]) -> dict[str, str]:
    """Those of which all differ in a larger sample too."""
    if not suspect:
        return {}
    hashes = {
        name: f"CASE WHEN {quoted(name)} IS NOT NULL THEN HASH({quoted(name)}) END"
        for name in suspect
    }
    return {
        name: IDENTIFIER
        for name, drawn in sample(table, hashes).items()
        if len(np.unique(drawn)) >= ALL_DIFFERENT * len(drawn)
    }


def _differing(table: "EngineTable", names: Sequence[str]) -> list[str]:
    """Columns of text in an engine of which nearly all differ in a random sample."""
    if not names:
        return []
    wanted = [
        f"COUNT({quoted(name)}) AS n{place}, COUNT(DISTINCT {quoted(name)}) AS d{place}"
        for place, name in enumerate(names)
    ]
    drawn = table.sample(", ".join(map(quoted, names)), _SAMPLE)
    (found,) = table.ask(f"SELECT {', '.join(wanted)} FROM ({drawn}) AS s")  # noqa: S608 - quoted names
    return [
        name
        for place, name in enumerate(names)
        if found[f"n{place}"] >= FEWEST and found[f"d{place}"] >= ALL_DIFFERENT * found[f"n{place}"]
    ]
