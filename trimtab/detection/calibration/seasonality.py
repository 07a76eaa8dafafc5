"""Matches a reference to the hours and weekdays of a window, because what recurs is not drift.

A window shorter than a week holds other hours or weekdays than the reference as a whole. The
reference is therefore kept as one profile for each phase of the day or week, and a window is
compared with the merge of the phases that it overlaps, weighted by the length of the overlap.
Whole weeks hold every phase equally and need no matching. Hours are in UTC: daylight saving time
moves them by one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from pydantic import AwareDatetime, ConfigDict, Field

from trimtab.contracts.base import NonNegativeDuration, Record
from trimtab.contracts.drift import Window
from trimtab.detection.profiles.merging import merge_windows
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
MIN_WINDOW_FOR_WEEK_BLOCKS: Final = timedelta(days=56)
"""Length of a window from which a block is a week rather than a day."""
MIN_BLOCKS: Final = 4
"""Blocks that a reference needs to be calibrated."""
MIN_SEASONS: Final = 3
"""Days or weeks that a reference must hold to be split by hour or weekday."""


class SeasonalPattern(Record):
    """How time is cut into blocks, and when these recur.

    Blocks are whole days, or weeks for long windows, so that dependent rows within a day stay
    together. A window of a day, of less, or of no whole number of days is one block.
    """

    origin: AwareDatetime
    """Start of the first block: the start of the reference."""
    block: NonNegativeDuration
    """Length of a block."""
    window: int = Field(ge=1)
    """Number of blocks in a window."""
    season: int = Field(default=1, ge=1)
    """Number of blocks in a season; 1 if there is none."""
    matched: bool = False
    """Whether a window is compared with the same phases only."""

    def find_phase(self, when: datetime) -> int:
        """Return the position in the season, from 0, of the block that holds `when`."""
        return (when - self.origin) // self.block % self.season


class SeasonalProfiles(Record):
    """The reference, split by phase of the season."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    pattern: SeasonalPattern = Field(alias="rhythm")
    """Stored under the key "rhythm"."""
    profiles: dict[int, WindowProfile]
    """Profile by phase, without the edges and names that the reference's own profile holds."""
    blocks: dict[int, int]
    """Number of the reference's blocks by phase."""


def find_seasonal_pattern(window: timedelta, reference: Window) -> SeasonalPattern:
    """Return the pattern for windows of that length, compared with that reference."""
    block = window
    if window >= MIN_WINDOW_FOR_WEEK_BLOCKS:
        block = window / (window // WEEK)
    elif window > DAY and window % DAY == timedelta(0):
        block = DAY
    season = 1
    for cycle in (WEEK, DAY):
        held = (reference.end - reference.start) / cycle
        if cycle > block and cycle % block == timedelta(0) and held >= MIN_SEASONS:
            season = cycle // block
            break
    return SeasonalPattern(
        origin=reference.start,
        block=block,
        window=round(window / block),
        season=season,
        matched=season > 1 and window < WEEK,
    )


def build_seasonal_profiles(
    blocks: Sequence[WindowProfile], pattern: SeasonalPattern
) -> SeasonalProfiles | None:
    """Merge the reference's blocks by phase; None if windows need no matching."""
    if not pattern.matched:
        return None
    profiles: dict[int, WindowProfile] = {}
    counts: dict[int, int] = {}
    for block in blocks:
        phase = pattern.find_phase(block.window.start)
        counts[phase] = counts.get(phase, 0) + 1
        profiles[phase] = merge_windows(profiles[phase], block) if phase in profiles else block
    compact = {
        phase: _drop_bin_details(each) for phase, each in profiles.items() if each.window.rows
    }
    return SeasonalProfiles(pattern=pattern, profiles=compact, blocks=counts)


def match_season(
    reference: WindowProfile, seasonal: SeasonalProfiles | None, window: Window
) -> WindowProfile:
    """Return the reference as it would be if all of it had the window's hours and weekdays.

    It keeps its window, and its number of rows is scaled to the whole of that. The reference is
    returned as it is if there are no seasonal profiles, or none with rows in the window's phases.
    """
    overlaps = {} if seasonal is None else _compute_overlaps(seasonal, window)
    if seasonal is None or not overlaps:
        return reference
    densest = max(overlaps[phase] / seasonal.blocks[phase] for phase in overlaps)
    weights = {
        phase: overlap / seasonal.blocks[phase] / densest for phase, overlap in overlaps.items()
    }
    chosen = [(weight, seasonal.profiles[phase]) for phase, weight in weights.items()]
    blocks = sum(weight * seasonal.blocks[phase] for phase, weight in weights.items())
    length = reference.window.end - reference.window.start
    scale = length / (blocks * seasonal.pattern.block)
    rows = sum(weight * each.window.rows for weight, each in chosen) * scale
    repeats = sum(weight * each.duplicates for weight, each in chosen) * scale
    columns = [
        _merge_weighted_columns(column, [(weight, each.columns[index]) for weight, each in chosen])
        for index, column in enumerate(reference.columns)
    ]
    return reference.model_copy(
        update={
            "window": reference.window.model_copy(update={"rows": round(rows)}),
            "duplicates": round(repeats),
            "columns": tuple(columns),
        }
    )


def _compute_overlaps(seasonal: SeasonalProfiles, window: Window) -> Mapping[int, float]:
    """Return how many blocks of each phase the window holds, without phases that have no rows."""
    pattern, overlaps = seasonal.pattern, dict[int, float]()
    start = pattern.origin + (window.start - pattern.origin) // pattern.block * pattern.block
    while start < window.end:
        inside = min(start + pattern.block, window.end) - max(start, window.start)
        phase = pattern.find_phase(start)
        if phase in seasonal.profiles:
            overlaps[phase] = overlaps.get(phase, 0.0) + inside / pattern.block
        start += pattern.block
    return overlaps


def _merge_weighted_columns(
    reference: ColumnProfile, weighted: Sequence[tuple[float, ColumnProfile]]
) -> ColumnProfile:
    """Merge the profiles of one column in several phases, each counted with its weight."""
    cumulated = sum(weight * np.cumsum(each.counts) for weight, each in weighted)
    counts = np.diff(np.round(cumulated), prepend=0).astype(int)  # rounds no bin twice
    present, nulls = int(counts.sum()), round(sum(w * each.nulls for w, each in weighted))
    summed = ("unreadable", "unseen", "outside")
    once = reference.once
    if once is not None:  # it counts categories of the whole reference, and is scaled to this part
        once = round(once * present / max(reference.value_count, 1))
    return reference.model_copy(
        update={
            "rows": present + nulls,
            "nulls": nulls,
            "counts": tuple(counts.tolist()),
            "once": once,
            **{
                name: round(sum(w * getattr(each, name) for w, each in weighted)) for name in summed
            },
            **_merge_weighted_moments(weighted),
        }
    )


def _merge_weighted_moments(weighted: Sequence[tuple[float, ColumnProfile]]) -> dict[str, Any]:
    filled = [(w * each.value_count, each) for w, each in weighted if each.mean is not None]
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


def _drop_bin_details(profile: WindowProfile) -> WindowProfile:
    """Return the profile without the edges and names, which the reference's own profile holds."""
    empty: dict[str, Any] = {"edges": (), "cuts": (), "categories": (), "known": None}
    columns = tuple(each.model_copy(update=empty) for each in profile.columns)
    return profile.model_copy(update={"columns": columns, "filled": ()})
