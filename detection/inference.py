"""Which columns of a table can be watched, and as what."""

from collections.abc import Container, Mapping, Sequence
from typing import Final, NamedTuple

from contracts.drift import FeatureKind, FeatureRole
from detection.columns import Column
from detection.duck import sample
from detection.files import DuckTable
from detection.storage import NUMBER, Stored, literal, quoted, stored_as

MOSTLY: Final = 0.9
"""Share of the texts of a column that must read as numbers for it to be one of numbers."""
_CODE: Final = r"^\s*0[0-9]+\s*$"
"""A postal code or the like: its leading zero says that it is no number."""
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
    return judge_types(types, ignore, target=target, numbers=_numbers_as_text(table, ignore))


def judge_types(
    types: Mapping[str, Stored],
    ignore: Sequence[str],
    *,
    target: str | None,
    numbers: Container[str] = (),
) -> Inferred:
    """As `infer` by the types alone; `numbers` are columns of text that read as numbers."""
    found: list[Column] = []
    left_out: dict[str, str] = {}
    for name, stored in types.items():
        if name in ignore:
            continue
        if stored in _KINDS and name:
            kind = FeatureKind.NUMERIC if name in numbers else _KINDS[stored]
            role = FeatureRole.TARGET if name == target else FeatureRole.FEATURE
            found.append(Column(name=name, kind=kind, role=role))
        elif stored is Stored.TIME:
            left_out[name] = "it holds times, which always move on"
        else:
            left_out[name] = "it holds neither numbers nor categories, or has no name"
    return Inferred(tuple(found), left_out)


def _numbers_as_text(table: DuckTable, ignore: Sequence[str]) -> set[str]:
    names = [
        name
        for name, type_name in table.types.items()
        if type_name == "VARCHAR" and name not in ignore
    ]
    if not names:
        return set()
    reads = {
        name: f"CASE WHEN {quoted(name)} IS NOT NULL THEN"
        f" REGEXP_MATCHES({quoted(name)}, {literal(NUMBER)})"
        f" AND NOT REGEXP_MATCHES({quoted(name)}, {literal(_CODE)}) END"
        for name in names
    }
    drawn = sample(table, reads)
    return {name for name in names if len(drawn[name]) and drawn[name].mean() >= MOSTLY}
