"""Rows of a DuckDB table in memory: a sample of any, and all numbers of one that is small.

What is read whole is counted by `detection.counting`, like a table in memory, and many times as
fast as by aggregates: an array is sorted once, and then each bin is two places in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from trimtab.detection.profiles.arrays import AnyArray, FloatArray, HashArray
from trimtab.detection.profiles.binning import BinEdges, choose_edges
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.aggregates import Asked, value_of
from trimtab.detection.tables.column_types import Stored, quoted
from trimtab.detection.tables.files import DuckTable
from trimtab.detection.tables.profile_plan import Plan

DRAWN: Final = 100_000
"""Rows of which all numbers are read at once; of larger tables about so many are drawn to choose
bins, and about so many are looked at for whether they repeat."""
COLUMNAR: Final = 1_000_000
"""Rows of which all numbers are read, a few columns at a time."""
VALUES: Final = 4_000_000
"""Numbers that are in memory at a time: 32 MB."""
SAMPLE: Final = 20_000
"""Rows that are looked at to judge texts."""
SPARE: Final = 24
"""Edges around each decile of a sample; between two of them lies that of all rows."""
_ROW: Final = "trimtab_row"

Drawn = Mapping[str, AnyArray]
"""Values by alias."""


class Read(NamedTuple):
    """What was counted of a table that was read whole."""

    columns: dict[int, ColumnProfile]
    """Profiles of the numeric columns, by place."""
    different: int
    """Rows that differ from each other."""


def is_small(table: DuckTable, rows: int) -> bool:
    """Whether the numbers of a table of so many rows are read whole."""
    return rows <= (COLUMNAR if table.columnar else DRAWN)


def sample(table: DuckTable, expressions: Mapping[str, str], *, rows: int = SAMPLE) -> Drawn:
    """Of at most so many rows, the same ones each time: alias to the values that are not NULL."""
    drawn = _read(table, expressions, f"USING SAMPLE reservoir({rows} ROWS) REPEATABLE (1)")
    return {name: np.ma.MaskedArray(values).compressed() for name, values in drawn.items()}


def sampled_edges(table: DuckTable, asked: Sequence[Asked], rows: int) -> dict[int, BinEdges]:
    """Edges for the numeric columns of a table that is not read whole, by place."""
    share = f"USING SAMPLE {100 * DRAWN / rows:.9f}% (bernoulli, 1)"
    drawn = _read(table, {each.name("x"): _number(each) for each in asked}, share)
    return {each.place: choose_edges(_known(drawn[each.name("x")]), spare=SPARE) for each in asked}


def count_read(
    table: DuckTable,
    asked: Sequence[Asked],
    plan: Plan,
    *,
    rows: int,
    filled: Mapping[str, int],
    hashed: bool,
) -> Read:
    """Profiles of numeric columns of a table of so many rows, read whole.

    `filled` are the rows in which a column holds anything; `hashed` asks for different rows too.
    """
    found: dict[int, ColumnProfile] = {}
    at_once = max(VALUES // max(rows, 1), 1)
    different = 0
    for start in range(0, len(asked) or hashed, at_once):
        part = asked[start : start + at_once]
        wanted = {each.name("x"): _number(each) for each in part}
        if hashed and not start:
            wanted[_ROW] = hash_of_rows(table)
        drawn = _read(table, wanted)
        if hashed and not start:
            different = _different(drawn[_ROW])
        for each in part:
            found[each.place] = _counted(each, drawn[each.name("x")], plan, filled)
    return Read(found, different)


def hash_of_rows(table: DuckTable) -> str:
    """SQL of a number for each row: the same for rows that are the same in every column."""
    return f"HASH({', '.join(map(quoted, table.types))})"


def _counted(
    asked: Asked, values: FloatArray, plan: Plan, filled: Mapping[str, int]
) -> ColumnProfile:
    known = _known(values)
    strange = filled.get(asked.column.name, 0) - len(known)
    if asked.stored is Stored.FLOAT:  # whose NaN count as filled
        strange = int(np.isinf(values).sum())
    return profile_numbers(
        known,
        asked.column,
        rows=len(values),
        unreadable=strange,
        like=plan.earlier(asked.column),
        sketched=asked.sketched,
    )


def _different(hashes: HashArray) -> int:
    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(ordered), 1)


def _number(asked: Asked) -> str:
    """The column as a number, infinite ones included, and NaN where there is none."""
    return f"COALESCE({value_of(replace(asked, finite=True))}, CAST('NaN' AS DOUBLE))"


def _known(values: FloatArray) -> FloatArray:
    known: FloatArray = values[np.isfinite(values)]
    return known


def _read(table: DuckTable, expressions: Mapping[str, str], some: str = "") -> Mapping[str, Any]:
    """Each alias' values; called by place in between, for DuckDB changes what is called nothing."""
    what = ", ".join(f"{sql} AS v{place}" for place, sql in enumerate(expressions.values()))
    query = f"SELECT {what} FROM (FROM {table.source} {some})"  # noqa: S608 - quoted names
    found = table.connection.execute(query).fetchnumpy()
    return {alias: found[f"v{place}"] for place, alias in enumerate(expressions)}
