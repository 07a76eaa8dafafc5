"""Rows of a DuckDB table in memory: a sample of any, and all numbers of one that is small.

What is read whole is counted by `detection.counting`, like a table in memory, and many times as
fast as by aggregates: an array is sorted once, and then each bin is two places in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detection.aggregates import Asked, value_of
from detection.binning import Edges, edges_of
from detection.counted import Plan
from detection.counting import count_numbers
from detection.files import DuckTable
from detection.profile import ColumnProfile
from detection.storage import Stored, quoted

WHOLE: Final = 100_000
"""Rows of a table up to which its numbers are read whole. Of a larger one about so many are drawn
to choose bins, and about so many are looked at for whether they repeat."""
SAMPLE: Final = 20_000
"""Rows that are looked at to judge texts."""
SPARE: Final = 24
"""Edges around each decile of a sample; between two of them lies that of all rows."""
_ROW: Final = "trimtab_row"

Drawn = Mapping[str, npt.NDArray[Any]]
"""Values by alias."""


def sample(table: DuckTable, expressions: Mapping[str, str], *, rows: int = SAMPLE) -> Drawn:
    """Of at most so many rows, the same ones each time: alias to the values that are not NULL."""
    drawn = _read(table, expressions, f"USING SAMPLE reservoir({rows} ROWS) REPEATABLE (1)")
    return {name: np.ma.MaskedArray(values).compressed() for name, values in drawn.items()}


def sampled_edges(table: DuckTable, asked: Sequence[Asked], rows: int) -> dict[int, Edges]:
    """Edges for the numeric columns of a table of more than 100,000 rows, by place."""
    share = f"USING SAMPLE {100 * WHOLE / rows:.9f}% (bernoulli, 1)"
    drawn = _read(table, {each.name("x"): _number(each) for each in asked}, share)
    return {each.place: edges_of(_known(drawn[each.name("x")]), spare=SPARE) for each in asked}


def read_whole(table: DuckTable, asked: Sequence[Asked], *, hashed: bool) -> Drawn:
    """All numbers of these columns, NaN where there is none, and a hash of each row."""
    wanted = {each.name("x"): _number(each) for each in asked}
    if hashed:
        wanted[_ROW] = hash_of_rows(table)
    return _read(table, wanted) if wanted else {}


def hash_of_rows(table: DuckTable) -> str:
    """SQL of a number for each row: the same for rows that are the same in every column."""
    return f"HASH({', '.join(map(quoted, table.types))})"


def different_rows(drawn: Drawn) -> int:
    """Of a table read whole."""
    hashes = np.sort(drawn.get(_ROW, np.array([])))
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + min(len(hashes), 1)


def count_read(
    drawn: Drawn, asked: Sequence[Asked], plan: Plan, *, rows: int, filled: Mapping[str, int]
) -> Iterator[tuple[int, ColumnProfile]]:
    """Profiles of numeric columns of a table of so many rows, read whole, each with its place.

    `filled` are the rows in which a column holds anything.
    """
    for each in asked:
        values = drawn[each.name("x")]
        known = _known(values)
        strange = filled.get(each.column.name, 0) - len(known)
        if each.stored is Stored.FLOAT:  # whose NaN count as filled
            strange = int(np.isinf(values).sum())
        yield (
            each.place,
            count_numbers(
                known,
                each.column,
                rows=rows,
                unreadable=strange,
                like=plan.earlier(each.column),
                sketched=each.sketched,
            ),
        )


def _number(asked: Asked) -> str:
    """The column as a number, infinite ones included, and NaN where there is none."""
    return f"COALESCE({value_of(replace(asked, finite=True))}, CAST('NaN' AS DOUBLE))"


def _known(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known: npt.NDArray[np.float64] = values[np.isfinite(values)]
    return known


def _read(table: DuckTable, expressions: Mapping[str, str], some: str = "") -> Mapping[str, Any]:
    what = ", ".join(f"{sql} AS {quoted(alias)}" for alias, sql in expressions.items())
    query = f"SELECT {what} FROM (FROM {table.source} {some})"  # noqa: S608 - quoted names
    return table.connection.execute(query).fetchnumpy()
