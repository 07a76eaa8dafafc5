"""Counts a DuckDB table: the numbers of a small one in memory, all else by aggregates.

Words are counted apart: DuckDB 2.0 plans HISTOGRAM of a value and COUNT(DISTINCT ...) as a GROUP BY
of their own, and keeps every row of the select in memory for it, unless only such counts are
selected.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.arrays import AnyArray
from trimtab.detection.profiles.binning import BinEdges, find_decile_bins
from trimtab.detection.profiles.categories import choose_category_bins, count_singletons
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import encode_sketch
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.aggregates import (
    Answer,
    Asked,
    Words,
    categorical_profile,
    numeric_profile,
    word_of,
)
from trimtab.detection.tables.files import DuckTable, side_by_side
from trimtab.detection.tables.profile_plan import Counted, Plan
from trimtab.detection.tables.row_sampling import DRAWN, count_read, is_small, sample, sampled_edges
from trimtab.detection.tables.sql_expressions import (
    among,
    of_numbers,
    of_others,
    of_words,
    with_values,
)
from trimtab.detection.tables.table_stats import asked_of_all, filled_rows, instant
from trimtab.detection.tables.time_column import time_of, within

AT_ONCE: Final = 100
"""Columns in one select, or in one of words and one of all else."""
MANY_CATEGORIES: Final = 50_000
"""Expected categories from which only some are told apart, for a tally keeps each in memory."""


def count_table(table: DuckTable, columns: Sequence[Column], plan: Plan) -> Counted:
    """Profiles of the columns, and what is said of the table as a whole."""
    time = time_of(table, plan.span) if plan.span else None
    table = within(table, plan.span) if plan.span else table
    rows = _rows(table)
    first, *others = [
        [
            plan.asked(column, place, table.stored(column.name))
            for place, column in enumerate(columns[start : start + AT_ONCE])
        ]
        for start in range(0, max(len(columns), 1), AT_ONCE)
    ]
    profiles, whole = _count(table, first, plan, rows=rows, beside=asked_of_all(table, time, rows))

    def count(table: DuckTable, asked: Sequence[Asked]) -> list[ColumnProfile]:
        return _count(table, asked, plan, rows=rows, whole=whole)[0]

    for part in side_by_side(table, count, others):
        profiles.extend(part)
    repeated = (whole["chosen"] - whole["different"]) / max(whole["chosen"], 1)
    return Counted(
        rows=rows,
        columns=tuple(profiles),
        filled=tuple(name for name, count in filled_rows(table, whole).items() if count),
        duplicates=round(repeated * rows),
        oldest=instant(whole.get("oldest")),
        newest=instant(whole.get("newest")),
    )


def _count(
    table: DuckTable,
    asked: Sequence[Asked],
    plan: Plan,
    *,
    rows: int,
    beside: tuple[str, Sequence[str]] | None = None,
    whole: Answer | None = None,
) -> tuple[list[ColumnProfile], Answer]:
    """Profiles of some columns, and the answer that tells of the table as a whole."""
    held, large = _parted(asked, small=is_small(table, rows))
    large = _decide(table, large, rows)
    answer = _answer(table, large, *(beside or (table.source, ())))
    answer = {**answer, **_near_deciles(table, large, answer)}
    whole = whole or answer
    hashed = "chosen" not in whole
    filled = filled_rows(table, whole)
    read = count_read(table, held, plan, filled=filled, rows=rows, hashed=hashed)
    if hashed:
        whole = {**whole, "chosen": rows, "different": read.different}
    found = read.columns | {each.place: _profile(each, answer, rows) for each in large}
    return [found[each.place] for each in asked], whole


def _rows(table: DuckTable) -> int:
    found = table.connection.execute(f"SELECT COUNT(*) FROM {table.source}").fetchall()  # noqa: S608 - our own text
    return int(found[0][0])


def _parted(asked: Sequence[Asked], *, small: bool) -> tuple[list[Asked], list[Asked]]:
    """The columns to be counted in memory, and the others."""
    parts: tuple[list[Asked], list[Asked]] = ([], [])
    for each in asked:
        parts[each.column.kind is not FeatureKind.NUMERIC or not small].append(each)
    return parts


def _decide(table: DuckTable, asked: Sequence[Asked], rows: int) -> list[Asked]:
    """With bins where there is no earlier profile, and with the categories that are too many."""
    bare = [each for each in asked if each.wants_edges]
    edges = sampled_edges(table, bare, rows) if bare else {}
    words = {
        each.name("x"): word_of(each)
        for each in asked
        if each.column.kind is FeatureKind.CATEGORICAL and rows > DRAWN
    }
    drawn = sample(table, words) if words else {}
    return [
        replace(each, **edges[each.place]._asdict())
        if each.place in edges
        else _named(each, drawn.get(each.name("x")), rows)
        for each in asked
    ]


def _named(asked: Asked, values: AnyArray | None, rows: int) -> Asked:
    """With the categories to tell apart where there are too many to tell all."""
    if values is None:
        return asked
    tally = Counter(values.tolist())
    if len(tally) + count_singletons(tally) / max(len(values), 1) * rows <= MANY_CATEGORIES:
        return asked
    if asked.categories is None:
        asked = replace(asked, **choose_category_bins(tally)._asdict())
    names = (*(asked.categories or ()), *(asked.seen or ()))
    return replace(asked, named=tuple(dict.fromkeys(names)))


def _answer(
    table: DuckTable, asked: Sequence[Asked], source: str, aggregates: Sequence[str]
) -> Answer:
    """Of words, of all else as if all numbers were finite, and once more where some are not.

    Looking at each number would make the select a fifth slower.
    """
    hopeful = [replace(each, finite=not each.sketched) for each in asked]
    words = [each for each in hopeful if each.column.kind is FeatureKind.CATEGORICAL]
    answer: Answer = {**_tallied(table, words), **_select(table, hopeful, source, aggregates)}
    wrong = [each for each, tried in zip(asked, hopeful, strict=True) if _infinite(tried, answer)]
    return {**answer, **_select(table, wrong, table.source, ())} if wrong else answer


def _infinite(asked: Asked, answer: Answer) -> bool:
    std = answer.get(asked.name("std"))
    return asked.finite and std is not None and not math.isfinite(std)


def _select(
    table: DuckTable, asked: Sequence[Asked], source: str, aggregates: Sequence[str]
) -> Answer:
    numeric = [each for each in asked if each.column.kind is FeatureKind.NUMERIC]
    many = [each for each in asked if each.named is not None]
    wanted = list(aggregates)
    for each in numeric:
        wanted.extend(of_numbers(each))
    for each in many:
        wanted.extend(of_others(each))
    return _row(table, wanted, with_values(source, numeric, many)) if wanted else {}


def _near_deciles(table: DuckTable, asked: Sequence[Asked], answer: Answer) -> Answer:
    """All values in the bins in which deciles lie, of columns whose bins come from a sample."""
    wanted = []
    for each in asked:
        counted = each.edges and each.wants_edges
        found = (
            find_decile_bins(BinEdges(each.edges, each.cuts), _counts(each, answer))
            if counted
            else []
        )
        if found:
            inside = among(each.name("v"), found)
            wanted.append(f"LIST({each.name('v')}) FILTER (WHERE {inside}) AS {each.name('near')}")
    hopeful = [replace(each, finite=True) for each in asked if each.wants_edges]
    return _row(table, wanted, with_values(table.source, hopeful, ())) if wanted else {}


def _tallied(table: DuckTable, words: Sequence[Asked]) -> Answer:
    wanted = [aggregate for each in words for aggregate in of_words(each)]
    return _row(table, wanted, with_values(table.source, (), words)) if wanted else {}


def _row(table: DuckTable, wanted: Sequence[str], source: str) -> Answer:
    cursor = table.connection.execute(f"SELECT {', '.join(wanted)} FROM {source}")  # noqa: S608 - quoted names
    names = [name for name, *_ in cursor.description or ()]
    (row,) = cursor.fetchall()  # a result that is not read to its end keeps the connection busy
    return dict(zip(names, row, strict=True))


def _profile(asked: Asked, answer: Answer, rows: int) -> ColumnProfile:
    if asked.column.kind is FeatureKind.NUMERIC:
        return numeric_profile(asked, answer, rows=rows, counts=_counts(asked, answer))
    return _categories(asked, answer, rows)


def _counts(asked: Asked, answer: Answer) -> tuple[int, ...]:
    if not asked.edges:
        return (int(answer[asked.name("present")]),)
    bins = answer[asked.name("bins")] or {}
    return (*(int(bins.get(edge, 0)) for edge in asked.edges), int(bins.get(np.inf, 0)))


def _categories(asked: Asked, answer: Answer, rows: int) -> ColumnProfile:
    tally = {name: int(count) for name, count in (answer[asked.name("tally")] or {}).items()}
    if asked.categories is None:
        asked = replace(asked, **choose_category_bins(tally)._asdict())
    sketch = None
    if asked.named is not None:
        low, high = answer[asked.name("sl")], answer[asked.name("sh")]
        sketch = encode_sketch(low or 0, high or 0)
    parted = answer.get(asked.name("parted")) or {}
    found = Words(
        present=int(answer[asked.name("present")]),
        tally=tally,
        parted={f"{int(digits):x}": int(count) for digits, count in parted.items() if count},
        sketch=sketch,
        once=count_singletons(tally) if asked.named is None else None,
    )
    return categorical_profile(asked, found, rows=rows)
