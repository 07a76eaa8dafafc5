"""Made-up streams of blocks, counted over the bins of all of them."""

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

Maker = Callable[[int], FloatArray]
"""Rows by columns of one block, by its place in the stream."""


def block(
    values: FloatArray, place: int, *, length: timedelta = DAY, like: WindowProfile | None = None
) -> WindowProfile:
    """One block's profile; columns are called x0, x1, …"""
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
    start = MONDAY + place * length
    return WindowProfile(
        model="stream",
        window=Window(start=start, end=start + length, rows=len(values)),
        columns=tuple(columns),
        newest=start,
    )


def stream(
    make: Maker, blocks: int, *, reference: int, length: timedelta = DAY
) -> list[WindowProfile]:
    """Blocks, all over the bins of the first `reference` of them."""
    rows = [make(place) for place in range(blocks)]
    whole = block(np.concatenate(rows[:reference]), 0, length=reference * length)
    return [block(each, place, length=length, like=whole) for place, each in enumerate(rows)]


def together(blocks: list[WindowProfile]) -> WindowProfile:
    """One window."""
    merged = blocks[0]
    for each in blocks[1:]:
        merged = merge_windows(merged, each)
    return merged
