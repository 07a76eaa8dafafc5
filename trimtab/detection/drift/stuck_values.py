"""Finds columns that repeat their last value row after row, such as a sensor that is stuck.

A column may be stuck in one source among several, each at a value of its own: no single value is
then frequent, but rows equal the row before them of the same source more often than they did.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.detection.drift.proportion_tests import two_proportion_test
from trimtab.detection.drift.row_table import RowTable, list_category_columns
from trimtab.detection.drift.unit_change import MIN_DISTINCT_OF_MEASUREMENT

MAX_GROUPINGS: Final = 2
"""Categorical features whose categories are taken for sources, those of most categories first."""
MIN_ROWS_PER_SOURCE: Final = 10
"""Rows of a source on average."""
MIN_REPEAT_RISE: Final = 0.08
"""Rise of the share of repeating rows, above that of every block of the reference."""
MIN_BLOCKS_WITH_VALUES: Final = 3
"""Blocks of the reference with values, at least."""
STUCK_RANGES: Final = 2.0
"""How many times the range of that share in the reference's blocks it must have risen."""


class StuckRows(NamedTuple):
    """Rows that repeat the row before them, of the same source."""

    affected: "pd.Series[bool]"
    """Whether each row with a value repeats it."""
    share: float
    """Their share, beyond that of equal values in random pairs of rows."""
    before: float
    """The largest such share in a block of the reference."""


def find_stuck_rows(name: str, window: RowTable, blocks: Sequence[RowTable]) -> StuckRows | None:
    """Return the repeating rows if they are more than in every block; None if they are not.

    Values of few kinds repeat by chance: counted is the share beyond that of two random rows.
    """
    known = np.concatenate([block.get_numbers(name) for block in blocks] or [np.empty(0)])
    if len(np.unique(known)) < MIN_DISTINCT_OF_MEASUREMENT:
        return None
    for source in (None, *_list_sources(window)):
        affected = _mark_repeats(name, window, source)
        usual = [block for block in blocks if len(block.get_numbers(name)) > 1]
        if len(affected) < MIN_ROWS_PER_SOURCE or len(usual) < MIN_BLOCKS_WITH_VALUES:
            continue
        marks = [_mark_repeats(name, block, source) for block in usual]
        shares = [_compute_excess(name, *each) for each in zip(usual, marks, strict=True)]
        share, before = _compute_excess(name, window, affected), max(shares)
        least = max(MIN_REPEAT_RISE, STUCK_RANGES * (before - min(shares)), before / 2)
        counts_before = sum(int(each.sum()) for each in marks), sum(map(len, marks))
        if share - before >= least and two_proportion_test(
            int(affected.sum()), len(affected), *counts_before
        ):
            return StuckRows(affected, share, before)
    return None


def _compute_excess(name: str, table: RowTable, affected: "pd.Series[bool]") -> float:
    """Return the share of repeating rows beyond that of random pairs of rows with equal values."""
    _, counts = np.unique(table.get_numbers(name), return_counts=True)
    by_chance = float(((counts / counts.sum()) ** 2).sum())
    return max(float(affected.mean()) - by_chance, 0.0) / max(1.0 - by_chance, 1e-9)


def _list_sources(window: RowTable) -> list[str]:
    rows = len(window.times)
    names = list_category_columns(window)
    few = [n for n in names if rows >= MIN_ROWS_PER_SOURCE * max(window.series[n].nunique(), 1)]
    return few[:MAX_GROUPINGS]


def _mark_repeats(name: str, table: RowTable, source: str | None) -> "pd.Series[bool]":
    """Return whether each value equals the one before it of the same source."""
    values = table.series[name].dropna()
    if source is None:
        return values.eq(values.shift())
    sources = table.series[source].reindex(values.index)
    return values.eq(values.groupby(sources).shift())
