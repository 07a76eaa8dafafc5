"""Compares two tables that a person named: reads, profiles and judges them."""

import gzip
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.charts.text import join_names
from trimtab.comparison.download import brought
from trimtab.comparison.outputs import check_outputs
from trimtab.comparison.table_sources import BadInput, Table, find_table
from trimtab.contracts.comparison import ComparedSources, Comparison
from trimtab.contracts.drift import FeatureRole
from trimtab.detection.drift.table_comparison import compare_profiles
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.row_numbers import is_pandas_index_name, is_row_number
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.column_inference import InferredColumns
from trimtab.detection.tables.files import UnreadableError, columns_of_parquet, is_text_file
from trimtab.detection.tables.profiling import infer_columns, profile_relation
from trimtab.detection.tables.row_filter import RowFilter

_NAMED: Final = 12
"""Columns that an error lists."""
_DELIMITERS: Final = ",;\t|"
_LONGEST_HEADER: Final = 2**20


class Question(NamedTuple):
    """What is to be compared, as it was typed."""

    reference: str
    current: str
    timestamp: str | None = None
    ignored: tuple[str, ...] = ()
    target: str | None = None
    outputs: tuple[tuple[str, Path], ...] = ()
    """Options with the files that they are to write."""


class Answer(NamedTuple):
    """A comparison with what it was made from."""

    comparison: Comparison
    profiles: tuple[WindowProfile, WindowProfile]
    """Of the reference and of the current table."""


def compare_tables(question: Question, *, say: Callable[[str], None] = lambda _: None) -> Answer:
    """Compare them; `say` is told what is being done. Raises `BadInput`."""
    before = find_table(question.reference, side="REFERENCE")
    now = find_table(question.current, side="CURRENT")
    if before.identity == now.identity:
        msg = f"REFERENCE and CURRENT are both {before.shown!r}: name two tables"
        raise BadInput(msg)
    check_outputs(dict(question.outputs), (before, now))
    with (
        brought(before, side="REFERENCE", say=say) as before,
        brought(now, side="CURRENT", say=say) as now,
    ):
        return _compared(question, before, now, say)


def _compared(question: Question, before: Table, now: Table, say: Callable[[str], None]) -> Answer:
    say("looking at the columns")
    columns, left_out = _columns(question, before, now)
    where = RowFilter(question.timestamp) if question.timestamp else None
    say("reading the reference")
    old = _profile(before, columns, where=where, like=None, side="REFERENCE")
    if numbering := _numbering(old):
        left_out |= dict.fromkeys(numbering, "it numbers the rows")
        old = _without(old, numbering)
        columns = tuple(column for column in columns if column.name not in numbering)
    say("reading the current table")
    new = _profile(now, columns, where=where, like=old, side="CURRENT")
    _check_header(new.filled, now, side="CURRENT")
    _check_common(new, now)
    say("comparing")
    ignored = {
        *question.ignored,
        *filter(None, [question.timestamp]),
        *filter(is_pandas_index_name, left_out),
    }
    found = compare_profiles(old, new, ignored=ignored, excluded=left_out.keys() - ignored)
    told = {
        "sources": ComparedSources(reference=before.shown, current=now.shown),
        "generated": datetime.now(UTC),
        "version": _version(),
        "left_out": left_out,
    }
    return Answer(found.model_copy(update=told), (old, new))


def _numbering(reference: WindowProfile) -> set[str]:
    """Columns that only number the rows, unless nothing else is there to be compared."""
    found = {
        each.column.name
        for each in reference.columns
        if each.column.role is FeatureRole.FEATURE and is_row_number(each)
    }
    return found if len(found) < len(reference.columns) else set()


def _without(profile: WindowProfile, names: Collection[str]) -> WindowProfile:
    kept = tuple(each for each in profile.columns if each.column.name not in names)
    return profile.model_copy(update={"columns": kept})


def _columns(
    question: Question, before: Table, now: Table
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """What is compared, by the reference's kinds, and what is left out and why."""
    old = _inferred(before, target=question.target, side="REFERENCE")
    _check_named(question, _names(old), now)
    skipped = {*question.ignored, question.timestamp}
    columns = tuple(column for column in old.columns if column.name not in skipped)
    left_out = {name: why for name, why in old.left_out.items() if name not in skipped}
    if not columns:
        reasons = "; ".join(f"{name}: {why}" for name, why in [*left_out.items()][:_NAMED])
        msg = f"REFERENCE {before.shown!r}: no column can be compared ({reasons or 'none is left'})"
        raise BadInput(msg)
    return columns, left_out


def _check_named(question: Question, known: Collection[str], now: Table) -> None:
    """That every column named in an option is there; the current table is asked where it must."""
    for option, column in (("--timestamp", question.timestamp), ("--target", question.target)):
        if column is not None and column not in known:
            msg = f"{option} {column!r}: no such column in REFERENCE: there are {_listed(known)}"
            raise BadInput(msg)
    if question.target is not None and question.target in (question.timestamp, *question.ignored):
        msg = f"--target {question.target!r}: is ignored or the timestamp too: name it once"
        raise BadInput(msg)
    unknown = [name for name in question.ignored if name not in known]
    if not unknown and question.timestamp is None:
        return
    present = _names(_inferred(now, target=None, side="CURRENT"))
    for name in unknown:
        if name not in present:
            msg = f"--ignore {name!r}: no such column in either table: there are "
            raise BadInput(msg + _listed({*known, *present}))
    if question.timestamp is not None and question.timestamp not in present:
        msg = f"--timestamp {question.timestamp!r}: no such column in CURRENT: there are "
        raise BadInput(msg + _listed(present))


def _check_common(current: WindowProfile, now: Table) -> None:
    """That the tables have something to compare: asked only where nothing has a value."""
    if any(column.value_count for column in current.columns):
        return
    known = {each.column.name for each in current.columns}
    present = _names(_inferred(now, target=None, side="CURRENT"))
    if not known & present:
        one = now.relation if isinstance(now.relation, Path) else None
        named = _header(one) if one and is_text_file(one) else []
        if known & {*named}:
            msg = (
                f"CURRENT {now.shown!r}: its lines have {len(present)} values where its header has"
                f" the names {_listed(named)}: give each line as many values as there are names"
            )
            raise BadInput(msg)
        msg = (
            f"REFERENCE and CURRENT have no column in common: {_listed(known)} there, "
            f"{_listed(present)} here: name two tables of the same make, CSV with a header line"
        )
        raise BadInput(msg)


def _inferred(table: Table, *, target: str | None, side: str) -> InferredColumns:
    try:
        found = infer_columns(table.relation, target=target)
    except UnreadableError as error:
        msg = f"{side} {table.shown!r}: {error}"
        raise BadInput(msg) from None
    _check_header(_names(found), table, side=side)
    return found


def _check_header(names: Collection[str], table: Table, *, side: str) -> None:
    """That lines were parted into columns, and no two columns have one name.

    DuckDB takes a CSV whose lines differ in length for one of a single column, and calls a second
    column `a` by the name of `a_1`.
    """
    whole = next(iter(names)) if len(names) == 1 else ""
    if any(sign in whole for sign in _DELIMITERS):
        msg = (
            f"{side} {table.shown!r}: its lines cannot be parted into the columns {whole:.200}:"
            " give each line as many values as the header has names"
        )
        raise BadInput(msg)
    if not isinstance(table.relation, Path):
        return
    small = {name.lower() for name in names}
    for name in names:
        twin = re.fullmatch(r"(.+)_\d+", name)
        if twin and twin[1].lower() in small and _named_twice(table.relation, twin[1]):
            msg = (
                f"{side} {table.shown!r}: has two columns called {twin[1].lower()!r} (case does"
                " not count): rename one of them"
            )
            raise BadInput(msg)


def _named_twice(path: Path, name: str) -> bool:
    """Whether the first line of a CSV, or the schema of a Parquet file, has it more than once."""
    named = _header(path) if is_text_file(path) else columns_of_parquet(path)
    return [each.lower() for each in named].count(name.lower()) > 1


def _header(path: Path) -> list[str]:
    """The names in the first line of a CSV."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as file:
        header = file.readline(_LONGEST_HEADER)
    return [field.strip().strip("\"'") for field in re.split(f"[{_DELIMITERS}]", header)]


def _names(table: InferredColumns) -> set[str]:
    return {*(column.name for column in table.columns), *table.left_out}


def _profile(
    table: Table,
    columns: tuple[Column, ...],
    *,
    where: RowFilter | None,
    like: WindowProfile | None,
    side: str,
) -> WindowProfile:
    try:
        return profile_relation(table.relation, columns, like=like, where=where, sketches=False)
    except UnreadableError as error:
        msg = f"{side} {table.shown!r}: {error}"
        raise BadInput(msg) from None


def _listed(names: Collection[str]) -> str:
    return join_names([f"{name:.80}" for name in sorted(names)], limit=_NAMED) or "none"


def _version() -> str:
    try:
        return version("trimtab")
    except PackageNotFoundError:
        return ""
