"""Matches a reference to the hours and weekdays of a window: what recurs is not drift.

A window shorter than a week holds other hours or weekdays than the reference as a whole. The
reference is therefore kept in strata, one for each phase of the day or week, and what a window is
compared with is the merge of the strata that it overlaps, weighted by how long. Whole weeks hold
every phase alike and need none. Hours are those of UTC: a summer time moves them by one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Record, Span
from trimtab.contracts.drift import Window
from trimtab.detection.profiles.merging import merge_windows
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LONG: Final = timedelta(days=56)
"""Windows from which on a block is a week rather than a day."""
FEWEST_BLOCKS: Final = 4
"""Blocks of a reference without which nothing is calibrated."""
FEWEST_SEASONS: Final = 3
"""Days or weeks that a reference must hold to be parted by hour or weekday."""


class Rhythm(Record):
    """Into which blocks time is cut, and when they recur.

    Blocks are whole days, or weeks of long windows, so that what depends on each other within a
    day stays together; where the window is a day, less, or no whole number of days, it is a block.
    """

    origin: AwareDatetime
    """Where the first block begins: with the reference."""
    block: Span
    window: int = Field(ge=1)
    """Blocks in a window."""
    season: int = Field(default=1, ge=1)
    """Blocks until they recur; 1 where they do not."""
    matched: bool = False
    """Whether a window is compared with the same phases only."""

    def phase(self, when: datetime) -> int:
        """Place of an instant in the season, from 0."""
        return (when - self.origin) // self.block % self.season


class Strata(Record):
    """The reference, parted by phase."""

    rhythm: Rhythm
    profiles: dict[int, WindowProfile]
    """Phase to its profile, without what the reference's own profile tells: edges and names."""
    blocks: dict[int, int]
    """Phase to how many blocks of it the reference holds."""


def rhythm_of(window: timedelta, reference: Window) -> Rhythm:
    """The rhythm for windows of that length, compared with that reference."""
    block = window
    if window >= LONG:
        block = window / (window // WEEK)
    elif window > DAY and window % DAY == timedelta(0):
        block = DAY
    season = 1
    for cycle in (WEEK, DAY):
        held = (reference.end - reference.start) / cycle
        if cycle > block and cycle % block == timedelta(0) and held >= FEWEST_SEASONS:
            season = cycle // block
            break
    return Rhythm(
        origin=reference.start,
        block=block,
        window=round(window / block),
        season=season,
        matched=season > 1 and window < WEEK,
    )


def stratify(blocks: Sequence[WindowProfile], rhythm: Rhythm) -> Strata | None:
    """The reference's blocks merged by phase; None where windows need no matching."""
    if not rhythm.matched:
        return None
    strata: dict[int, WindowProfile] = {}
    counts: dict[int, int] = {}
    for block in blocks:
        phase = rhythm.phase(block.window.start)
        counts[phase] = counts.get(phase, 0) + 1
        strata[phase] = merge_windows(strata[phase], block) if phase in strata else block
    squeezed = {phase: _squeezed(each) for phase, each in strata.items() if each.window.rows}
    return Strata(rhythm=rhythm, profiles=squeezed, blocks=counts)


def matched(reference: WindowProfile, strata: Strata | None, window: Window) -> WindowProfile:
    """The reference as it would be if all of it were at the hours and weekdays of the window.

    It keeps its window; `rows` are so many as the whole of it would hold. As it is where there are
    no strata, or none with rows where the window lies.
    """
    parts = {} if strata is None else _overlaps(strata, window)
    if strata is None or not parts:
        return reference
    densest = max(parts[phase] / strata.blocks[phase] for phase in parts)
    weights = {phase: parts[phase] / strata.blocks[phase] / densest for phase in parts}
    chosen = [(weight, strata.profiles[phase]) for phase, weight in weights.items()]
    blocks = sum(weight * strata.blocks[phase] for phase, weight in weights.items())
    whole = (reference.window.end - reference.window.start) / (blocks * strata.rhythm.block)
    rows = sum(weight * each.window.rows for weight, each in chosen) * whole
    repeats = sum(weight * each.duplicates for weight, each in chosen) * whole
    columns = [
        _weighted(column, [(weight, each.columns[place]) for weight, each in chosen])
        for place, column in enumerate(reference.columns)
    ]
    return reference.model_copy(
        update={
            "window": reference.window.model_copy(update={"rows": round(rows)}),
            "duplicates": round(repeats),
            "columns": tuple(columns),
        }
    )


def _overlaps(strata: Strata, window: Window) -> Mapping[int, float]:
    """Phase to how many blocks of it the window holds, phases without rows left out."""
    block, found = strata.rhythm.block, dict[int, float]()
    origin = strata.rhythm.origin
    start = origin + (window.start - origin) // block * block
    while start < window.end:
        inside = min(start + block, window.end) - max(start, window.start)
        phase = strata.rhythm.phase(start)
        if phase in strata.profiles:
            found[phase] = found.get(phase, 0.0) + inside / block
        start += block
    return found


def _weighted(
    reference: ColumnProfile, parts: Sequence[tuple[float, ColumnProfile]]
) -> ColumnProfile:
    """One column of several strata together, each counted with its weight."""
    cumulated = sum(weight * np.cumsum(each.counts) for weight, each in parts)
    counts = np.diff(np.round(cumulated), prepend=0).astype(int)  # rounds no bin twice
    present, nulls = int(counts.sum()), round(sum(w * each.nulls for w, each in parts))
    added = ("unreadable", "unseen", "outside")
    once = reference.once
    if once is not None:  # of the whole reference, for so are its known categories
        once = round(once * present / max(reference.present, 1))
    return reference.model_copy(
        update={
            "rows": present + nulls,
            "nulls": nulls,
            "counts": tuple(counts.tolist()),
            "once": once,
            **{name: round(sum(w * getattr(each, name) for w, each in parts)) for name in added},
            **_moments(parts),
        }
    )


def _moments(parts: Sequence[tuple[float, ColumnProfile]]) -> dict[str, Any]:
    filled = [(w * each.present, each) for w, each in parts if each.mean is not None]
    total = sum(weight for weight, _ in filled)
    if not total:
        return {"mean": None, "std": None, "minimum": None, "maximum": None}
    mean = sum(weight * (each.mean or 0.0) for weight, each in filled) / total
    spread = [
        weight * ((each.std or 0.0) ** 2 + ((each.mean or 0.0) - mean) ** 2)
        for weight, each in filled
    ]
    return {
        "mean": mean,
        "std": (sum(spread) / total) ** 0.5,
        "minimum": min(each.minimum for _, each in filled if each.minimum is not None),
        "maximum": max(each.maximum for _, each in filled if each.maximum is not None),
    }


def _squeezed(profile: WindowProfile) -> WindowProfile:
    empty: dict[str, Any] = {"edges": (), "cuts": (), "categories": (), "known": None}
    columns = tuple(each.model_copy(update=empty) for each in profile.columns)
    return profile.model_copy(update={"columns": columns, "filled": ()})
