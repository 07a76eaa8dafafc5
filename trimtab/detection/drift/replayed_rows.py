"""Finds rows that are those of an earlier window under new times, by a hash of their features.

A narrow table has honest repeats: rows with the same features. How many there are is measured in
the reference, each block of which is held against its other blocks.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from trimtab.contracts.drift import FeatureRole, QualityFault
from trimtab.detection.drift.proportion_tests import two_proportion_test
from trimtab.detection.drift.quality_faults import MIN_CORRUPT_SHARE, MIN_SHARE_RISE, build_fault
from trimtab.detection.drift.row_table import RowTable

MIN_BLOCKS_TO_COMPARE: Final = 3
"""Blocks of the reference without which its own share of repeats is unknown."""
REPLAY_RANGES: Final = 3.0
"""How many times the range of the share in the reference's blocks it must have risen."""

RowHashes: TypeAlias = npt.NDArray[np.uint64]
"""One hash for each row, shape (rows,)."""


def find_replayed_rows(
    window: RowTable,
    earlier: RowTable,
    blocks: Sequence[RowTable],
    *,
    excluded: Collection[str] = (),
) -> QualityFault | None:
    """Return the fault of a window that repeats rows of the window before it or of the reference.

    `earlier` are the rows of the window before; `excluded` features, such as faulty ones, tell no
    rows apart.
    """
    names = [
        name
        for name, column in window.columns.items()
        if column.role is FeatureRole.FEATURE and name not in excluded
    ]
    if len(blocks) < MIN_BLOCKS_TO_COMPARE or not names or window.times.empty:
        return None
    hashes = [hash_rows(block, names) for block in blocks]
    now = hash_rows(window, names)
    found = max(
        _compare_shares(now, hash_rows(earlier, names), hashes, held_against=1),
        _compare_shares(now, np.concatenate(hashes[1:]), hashes, held_against=len(hashes) - 1),
        key=lambda each: each.share - each.usual,
    )
    risen = found.share - found.usual
    rows = sum(map(len, hashes))
    if risen < max(MIN_SHARE_RISE, REPLAY_RANGES * found.spread) or not two_proportion_test(
        found.share * len(now), len(now), found.usual * rows, rows
    ):
        return None
    detail = (
        f"{found.share:.1%} of the rows repeat the features of an earlier row; {found.usual:.1%} at"
        f" most do in {len(hashes)} parts of the reference"
    )
    return build_fault("replayed", None, detail, found.share, corrupt=risen >= MIN_CORRUPT_SHARE)


class _RepeatedShare(NamedTuple):
    share: float
    usual: float
    """The largest share among the reference's blocks."""
    spread: float
    """Range of the share among them."""


def _compare_shares(
    now: RowHashes, earlier: RowHashes, blocks: list[RowHashes], *, held_against: int
) -> _RepeatedShare:
    """Return the share of repeats beside that of each block held against as many other blocks.

    Honest repeats grow with the number of earlier rows, so that numbers of rows must be alike.
    """
    usual = [
        measure_repeated_share(block, np.concatenate((blocks * 2)[index + 1 :][:held_against]))
        for index, block in enumerate(blocks)
    ]
    return _RepeatedShare(measure_repeated_share(now, earlier), max(usual), max(usual) - min(usual))


def hash_rows(table: RowTable, names: Sequence[str]) -> RowHashes:
    """Return a hash of these columns for each row, whatever its time."""
    frame = pd.DataFrame({name: _fill_missing(table.series[name]) for name in names})
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype="uint64")


def measure_repeated_share(rows: RowHashes, earlier: RowHashes) -> float:
    """Return the share of rows whose hash an earlier row has, each earlier one counted once.

    A row of the window that repeats another one of it counts as well.
    """
    if not len(rows):
        return 0.0
    distinct, counts = np.unique(rows, return_counts=True)
    known, known_counts = np.unique(earlier, return_counts=True)
    places = np.searchsorted(known, distinct)
    found = np.zeros(len(distinct), dtype="int64")
    inside = places < len(known)
    same = inside.copy()
    same[inside] = known[places[inside]] == distinct[inside]
    found[same] = known_counts[places[same]]
    repeated = np.minimum(counts, np.maximum(found, counts - 1))
    return float(repeated.sum() / len(rows))


def _fill_missing(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return values.astype("object").fillna("").map(str) if values.dtype == object else values
