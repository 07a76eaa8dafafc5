"""Which columns of a table can be watched, and as what."""

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from contracts.drift import FeatureKind, FeatureRole
from detection.columns import Column
from detection.files import DuckTable
from detection.reading import sample
from detection.storage import NUMBER, Stored, literal, quoted, stored_as

MOSTLY: Final = 0.9
"""Share of the texts of a column that must read as numbers for it to be one of numbers."""
ALL_DIFFERENT: Final = 0.99
"""Share of different texts from which a column tells rows apart rather than describes them."""
FEWEST: Final = 200
"""Fewer texts may all differ by chance."""
_FIRST: Final = 1000
"""Rows that raise the suspicion."""
_CODE: Final = r"^\s*0[0-9]+\s*$"
"""A postal code or the like: its leading zero says that it is no number."""
_FOR_PEOPLE: Final = r"^\s*[-+]?[€$£¥]?\s*[0-9]{1,3}([, ]?[0-9]{3})*([.,][0-9]+)?\s*[€$£¥%]?\s*$"
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
    texts = [name for name, kind in types.items() if kind is Stored.TEXT and name not in ignore]
    numbers = _numbers_as_text(table, [name for name in texts if table.types[name] == "VARCHAR"])
    unfit = _unfit(table, [name for name in texts if name not in numbers and name != target])
    return judge_types(types, ignore, target=target, numbers=numbers, unfit=unfit)


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
        elif stored in _KINDS and name:
            kind = FeatureKind.NUMERIC if name in numbers else _KINDS[stored]
            role = FeatureRole.TARGET if name == target else FeatureRole.FEATURE
            found.append(Column(name=name, kind=kind, role=role))
        elif stored is Stored.TIME:
            left_out[name] = "it holds times, which always move on"
        else:
            left_out[name] = "it holds neither numbers nor categories, or has no name"
    return Inferred(tuple(found), left_out)


def _numbers_as_text(table: DuckTable, names: Sequence[str]) -> set[str]:
    if not names:
        return set()
    reads = {name: f"{_like(name, NUMBER)} AND NOT {_like(name, _CODE)}" for name in names}
    drawn = sample(table, reads)
    return {name for name in names if len(drawn[name]) and drawn[name].mean() >= MOSTLY}


def _unfit(table: DuckTable, names: Sequence[str]) -> dict[str, str]:
    """Columns of words that describe nothing, with the reason."""
    if not names:
        return {}
    asked = {}
    for place, name in enumerate(names):
        people = f"{_like(name, _FOR_PEOPLE)} AND NOT {_like(name, NUMBER)}"
        asked[f"{place} for people"] = f"AVG(CAST({people} AS INTEGER))"
        asked[f"{place} known"] = f"COUNT({quoted(name)})"
        asked[f"{place} different"] = f"COUNT(DISTINCT {quoted(name)})"
    what = ", ".join(f"{sql} AS {quoted(alias)}" for alias, sql in asked.items())
    query = f"SELECT {what} FROM (FROM {table.source} LIMIT {_FIRST})"  # noqa: S608 - quoted names
    told = dict(zip(asked, table.connection.execute(query).fetchone() or [], strict=True))
    found, suspect = {}, []
    for place, name in enumerate(names):
        known = told[f"{place} known"]
        if known and told[f"{place} for people"] >= MOSTLY:
            found[name] = "its numbers are written for people: write 1234.5, not 1,234.50 or €"
        elif known >= FEWEST and told[f"{place} different"] >= ALL_DIFFERENT * known:
            suspect.append(name)
    return {**found, **_identifiers(table, suspect)}


def _identifiers(table: DuckTable, suspect: Sequence[str]) -> dict[str, str]:
    """Those of which not only the first rows differ."""
    if not suspect:
        return {}
    hashes = {
        name: f"CASE WHEN {quoted(name)} IS NOT NULL THEN HASH({quoted(name)}) END"
        for name in suspect
    }
    return {
        name: "an identifier or free text: nearly every row has its own"
        for name, drawn in sample(table, hashes).items()
        if len(np.unique(drawn)) >= ALL_DIFFERENT * len(drawn)
    }


def _like(name: str, form: str) -> str:
    return f"REGEXP_MATCHES(CAST({quoted(name)} AS VARCHAR), {literal(form)})"
