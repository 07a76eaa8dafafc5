"""Finds rows that are those of an earlier window under new times, by a hash of their features.

A narrow table has honest repeats: rows with the same features. How many there are is measured in
the reference, each block of which is held against its other blocks.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

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
    usual = [
        measure_repeated_share(block, np.concatenate([*hashes[:index], *hashes[index + 1 :]]))
        for index, block in enumerate(hashes)
    ]
    now = hash_rows(window, names)
    share = measure_repeated_share(now, np.concatenate([*hashes, hash_rows(earlier, names)]))
    risen = share - max(usual)
    least = max(MIN_SHARE_RISE, REPLAY_RANGES * (max(usual) - min(usual)))
    rows = sum(map(len, hashes))
    if risen < least or not two_proportion_test(
        share * len(now), len(now), max(usual) * rows, rows
    ):
        return None
    detail = (
        f"{share:.1%} of the rows repeat the features of an earlier row; {max(usual):.1%} at most"
        f" do in {len(usual)} parts of the reference"
    )
    return build_fault("replayed", None, detail, share, corrupt=risen >= MIN_CORRUPT_SHARE)


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
