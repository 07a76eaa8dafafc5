"""Counts a table of any engine that Ibis knows, such as PostgreSQL, Spark or BigQuery.

Two selects of standard SQL for all columns: one of plain aggregates, and one whose GROUPING SETS
count the bins and the categories of every column in one scan. Of a reference a sample is drawn
before. The SQL is DuckDB's, translated by sqlglot; it says the same in each engine, so that over
the same bins the profiles are equal, up to the rounding of mean and standard deviation.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.binning import choose_edges
from trimtab.detection.profiles.categories import choose_category_bins
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.distinct_count import SKETCH_HASH_DIGITS, encode_sketch
from trimtab.detection.profiles.window_profile import MAX_KNOWN_CATEGORIES, ColumnProfile
from trimtab.detection.tables.aggregates import (
    Answer,
    Asked,
    Words,
    bits,
    categorical_profile,
    cell,
    filled,
    hash_steps,
    moments,
    numeric_profile,
    part_of,
    presence,
    value_of,
    word_of,
)
from trimtab.detection.tables.column_types import Stored, double, literals, quoted
from trimtab.detection.tables.ibis_engine import TABLE, EngineTable, between
from trimtab.detection.tables.profile_plan import Counted, Plan

AT_ONCE: Final = 30
"""Columns in one select: engines bound the size of what they compile."""
SAMPLE: Final = 20_000
SPARE: Final = 10
"""Edges around each decile of these rows, of which the one at the decile of all rows stays."""


def count_engine_table(table: EngineTable, columns: Sequence[Column], plan: Plan) -> Counted:
    """Profiles of the columns, and what is said of the table as a whole."""
    table = between(table, plan)
    rows = table.rows
    profiles: list[ColumnProfile] = []
    whole: Answer = {}
    for start in range(0, max(len(columns), 1), AT_ONCE):
        asked = [
            plan.asked(column, place, table.types.get(column.name))
            for place, column in enumerate(columns[start : start + AT_ONCE])
        ]
        asked = _binned(table, asked)
        answer = _aggregates(table, asked, plan if not whole else None)
        whole = whole or answer
        profiles.extend(_profiles(table, asked, answer, rows))
    different = f"SELECT COUNT(*) AS n FROM (SELECT DISTINCT {_plain(table)} FROM {TABLE}) AS t"  # noqa: S608 - quoted names
    return Counted(
        rows=rows,
        columns=tuple(profiles),
        filled=tuple(name for place, name in enumerate(table.types) if whole[f"f{place}"]),
        duplicates=rows - int(table.ask(different)[0]["n"]),
        oldest=_instant(whole.get("oldest")),
        newest=_instant(whole.get("newest")),
    )


def _binned(table: EngineTable, asked: Sequence[Asked]) -> list[Asked]:
    """With edges for the numeric columns that have none yet, from a sample."""
    bare = [each for each in asked if each.wants_edges]
    if not bare:
        return list(asked)
    what = ", ".join(f"{value_of(each)} AS {each.name('x')}" for each in bare)
    drawn = table.ask(table.sample(what, SAMPLE))
    found = {}
    for each in bare:
        values = [row[each.name("x")] for row in drawn if row[each.name("x")] is not None]
        spare = SPARE if table.is_sampled(SAMPLE) else 0
        found[each.place] = choose_edges(np.asarray(values, dtype="float64"), spare=spare)
    return [
        replace(each, **found[each.place]._asdict()) if each.place in found else each
        for each in asked
    ]


def _aggregates(table: EngineTable, asked: Sequence[Asked], plan: Plan | None) -> Answer:
    """Moments, nulls and sketches of the numeric columns; with a plan, of the table as well."""
    numeric = [each for each in asked if each.column.kind is FeatureKind.NUMERIC]
    words = [each for each in asked if each.column.kind is FeatureKind.CATEGORICAL]
    wanted = [aggregate for each in numeric for aggregate in moments(each)]
    wanted += [f"COUNT({each.name('w')}) AS {each.name('present')}" for each in words]
    sketched = [each for each in numeric if each.sketched]
    for each in sketched:
        wanted += bits(each.name("p"), (each.name("sl"), each.name("sh")))
    if plan is not None:
        wanted += [
            filled(place, name, stored) for place, (name, stored) in enumerate(table.types.items())
        ]
        if plan.span is not None:
            time = quoted(plan.span.timestamp)
            wanted += [f"MIN({time}) AS oldest", f"MAX({time}) AS newest"]
    steps = [*_values(asked), *(f"{presence(each)} AS {each.name('a')}" for each in numeric)]
    source = _nested([", ".join(steps)], TABLE)
    source = _nested(map(", ".join, zip(*map(hash_steps, sketched), strict=True)), source)
    return table.ask(f"SELECT {', '.join(wanted)} FROM {source}")[0]  # noqa: S608 - quoted names


def _profiles(
    table: EngineTable, asked: Sequence[Asked], answer: Answer, rows: int
) -> Iterator[ColumnProfile]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in table.ask(_grouping(asked, bisects=table.bisects)) if asked else ():
        if row["which"] is not None:  # the values that are missing
            grouped[int(row["which"])].append(row)
    for each in asked:
        groups, present = grouped[each.place], int(answer[each.name("present")])
        if each.column.kind is FeatureKind.NUMERIC:
            counts = [0] * (len(each.edges) + 1)
            for row in groups:
                counts[int(row["bin"])] = int(row["n"])
            yield numeric_profile(each, answer, rows=rows, counts=tuple(counts))
            continue
        yield _categories(each, groups, rows=rows, present=present)


def _categories(
    asked: Asked, groups: Sequence[Mapping[str, Any]], *, rows: int, present: int
) -> ColumnProfile:
    tally = {str(row["word"]): int(row["n"]) for row in groups if row["word"] is not None}
    parted = {str(row["part"]): int(row["n"]) for row in groups if row["word"] is None}
    if asked.categories is None:
        asked = replace(asked, **choose_category_bins(tally)._asdict())
    sketch, first = None, groups[0] if groups else {"groups": 0, "once": 0}
    if int(first["groups"]) > MAX_KNOWN_CATEGORIES:
        asked = replace(asked, named=tuple(tally))
        sketch = encode_sketch(int(first["sl"] or 0), int(first["sh"] or 0))
    found = Words(
        present=present, tally=tally, parted=parted, sketch=sketch, once=int(first["once"])
    )
    return categorical_profile(asked, found, rows=rows)


def _grouping(asked: Sequence[Asked], *, bisects: bool) -> str:
    """How often each bin and each category occurs; of very many those most frequent, by name.

    The others are added up by the digits that part them.
    """
    numeric = [each for each in asked if each.column.kind is FeatureKind.NUMERIC]
    words = [each for each in asked if each.column.kind is FeatureKind.CATEGORICAL]
    place = _bisected if bisects else _tree
    bins = [f"CASE WHEN {_v(each)} IS NOT NULL THEN {place(each)} END AS {each.name('b')}"
            for each in numeric]  # fmt: skip
    keys = [each.name("b") for each in numeric] + [each.name("w") for each in words]
    source = _nested([", ".join(_values(asked)), ", ".join(bins)], TABLE)
    sets = ", ".join(f"({key})" for key in keys)
    grouped = (
        f"SELECT {', '.join(keys)}, COUNT(*) AS n FROM {source} GROUP BY GROUPING SETS ({sets})"  # noqa: S608 - quoted names
    )
    which = " ".join(
        f"WHEN {each.name('b' if each in numeric else 'w')} IS NOT NULL THEN {each.place}"
        for each in asked
    )
    told = (
        f"SELECT CASE {which} END AS which, n,"  # noqa: S608 - quoted names
        f" {_first(numeric, 'b', 'INTEGER')} AS bin, {_first(words, 'w', 'VARCHAR')} AS word"
        f" FROM ({grouped}) AS g"
    )
    places = "ROW_NUMBER() OVER (PARTITION BY which ORDER BY n DESC, word) AS place"
    over = " OVER (PARTITION BY which)"
    groups = f"COUNT(*){over} AS groups, SUM(CASE WHEN n = 1 THEN 1 ELSE 0 END){over} AS once"
    ranked = f"SELECT *, {places}, {groups}, {_word_cell()} AS p FROM ({told}) AS t"  # noqa: S608 - quoted names
    sketched = f"SELECT *, {', '.join(bits('p', ('sl', 'sh'), over=over))} FROM ({ranked}) AS r"  # noqa: S608 - quoted names
    kept = f"word IS NULL OR place <= {MAX_KNOWN_CATEGORIES + 1}"
    for each in words:
        names = sorted({*(each.categories or ()), *(each.seen or ())})
        if names:
            kept += f" OR (which = {each.place} AND word IN ({literals(names)}))"
    whole = "which, bin, groups, once, sl, sh"
    split = (
        f"SELECT {whole}, n, CASE WHEN {kept} THEN word END AS word,"  # noqa: S608 - quoted names
        f" CASE WHEN NOT ({kept}) THEN {part_of('word')} END AS part FROM ({sketched}) AS s"
    )
    told = f"{whole}, word, part"
    return f"SELECT {told}, SUM(n) AS n FROM ({split}) AS k GROUP BY {told}"  # noqa: S608 - quoted names


def _first(asked: Sequence[Asked], part: str, kind: str) -> str:
    keys = [each.name(part) for each in asked]
    return f"COALESCE({', '.join([*keys, f'CAST(NULL AS {kind})'])})"


def _word_cell() -> str:
    """The cell of a category's sketch; digit by digit, for engines read hexadecimals unalike."""
    digits = [
        f"(STRPOS('0123456789abcdef', SUBSTR(MD5(word), {place + 1}, 1)) - 1)"
        f" * {double(16.0 ** -(place + 1))}"
        for place in range(SKETCH_HASH_DIGITS)
    ]
    return f"CASE WHEN word IS NOT NULL THEN {cell('(' + ' + '.join(digits) + ')')} END"


def _v(asked: Asked) -> str:
    return asked.name("v")


def _tree(asked: Asked) -> str:
    """The bin of a value by nested comparisons: eight of them for 256 bins."""

    def part(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        edge = double(asked.edges[middle])
        left, right = part(low, middle), part(middle + 1, high)
        return f"CASE WHEN {_v(asked)} <= {edge} THEN {left} ELSE {right} END"

    return part(0, len(asked.edges))


def _bisected(asked: Asked) -> str:
    """The same by PostgreSQL's function, whose bins are closed at the other end."""
    if not asked.edges:
        return "0"
    edges = ", ".join(double(-edge) for edge in reversed(asked.edges))
    return f"{len(asked.edges)} - WIDTH_BUCKET(-{_v(asked)}, [{edges}])"


def _values(asked: Sequence[Asked]) -> Iterator[str]:
    for each in asked:
        if each.column.kind is FeatureKind.NUMERIC:
            yield f"{value_of(each)} AS {each.name('v')}"
        else:
            yield f"{word_of(each)} AS {each.name('w')}"


def _nested(steps: "Iterator[str] | Sequence[str]", source: str) -> str:
    for depth, step in enumerate(filter(None, steps)):
        source = f"(SELECT *, {step} FROM {source}) AS d{depth}"  # noqa: S608 - quoted names
    return source


def _plain(table: EngineTable) -> str:
    """The columns that can be compared; a table always has one."""
    names = [quoted(name) for name, kind in table.types.items() if kind is not Stored.OTHER]
    return ", ".join(names) or "1"


def _instant(found: date | None) -> datetime | None:
    if found is None:
        return None
    moment = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)  # noqa: DTZ001 - made aware below
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
