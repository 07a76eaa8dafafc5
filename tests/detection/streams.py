"""Made-up streams of blocks, profiled over the bins of their reference."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.merging import merge_windows
from trimtab.detection.profiles.window_profile import WindowProfile

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)

BlockMaker = Callable[[int], FloatArray]
"""Makes the values of the block with this index in the stream, shape (rows, columns)."""


def make_block(
    values: FloatArray, index: int, *, length: timedelta = DAY, like: WindowProfile | None = None
) -> WindowProfile:
    """Return one block's profile; columns are called x0, x1, …"""
    names = [f"x{number}" for number in range(values.shape[1])]
    columns = [
        profile_numbers(
            values[:, number],
            Column(name=name, kind=FeatureKind.NUMERIC),
            rows=len(values),
            like=like.find(name) if like else None,
        )
        for number, name in enumerate(names)
    ]
    start = MONDAY + index * length
    return WindowProfile(
        model="stream",
        window=Window(start=start, end=start + length, rows=len(values)),
        columns=tuple(columns),
        newest=start,
    )


def make_stream(
    make: BlockMaker, blocks: int, *, reference: int, length: timedelta = DAY
) -> list[WindowProfile]:
    """Return blocks, all over the bins of the first `reference` of them."""
    rows = [make(index) for index in range(blocks)]
    all_blocks = make_block(np.concatenate(rows[:reference]), 0, length=reference * length)
    return [
        make_block(each, index, length=length, like=all_blocks) for index, each in enumerate(rows)
    ]


def merge_blocks(blocks: list[WindowProfile]) -> WindowProfile:
    """Return the profile of the blocks as one window."""
    merged = blocks[0]
    for each in blocks[1:]:
        merged = merge_windows(merged, each)
    return merged
