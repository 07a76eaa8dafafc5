"""Checks a profile that was read from a file: its figures must agree with each other."""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile


def find_inconsistency(profile: WindowProfile) -> str:
    """Return the first thing in a profile that no table can have, or ""."""
    names = Counter(each.column.name for each in profile.columns)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        return f"it holds column {twice[0]!r} twice"
    faults = (
        f"column {each.column.name!r} {fault}"
        for each in profile.columns
        for fault in _list_faults(each)
    )
    return next(faults, "")


def _list_faults(profile: ColumnProfile) -> Iterator[str]:
    if not profile.unreadable <= profile.nulls <= profile.rows:
        yield f"has {profile.nulls} nulls, {profile.unreadable} unreadable, in {profile.rows} rows"
        return
    if profile.column.kind is FeatureKind.CATEGORICAL:
        bins = len(profile.categories) + profile.others
        yield from _list_categorical_faults(profile)
    else:
        bins = len(profile.edges) + 1
        yield from _list_numeric_faults(profile)
    if len(profile.counts) != bins:
        yield f"has {len(profile.counts)} counts for {bins} bins"
    elif min(profile.counts) < 0 or sum(profile.counts) > profile.value_count:
        yield f"has counts that are not those of {profile.value_count} values"


def _list_categorical_faults(profile: ColumnProfile) -> Iterator[str]:
    numeric = ("edges", "cuts", "mean", "std", "minimum", "maximum")
    yield from (f"is categorical and has {name}" for name in numeric if _is_set(profile, name))
    if len({*profile.categories}) < len(profile.categories):
        yield "has a category twice"


def _list_numeric_faults(profile: ColumnProfile) -> Iterator[str]:
    categorical = ("categories", "known", "once")
    yield from (f"is numeric and has {name}" for name in categorical if _is_set(profile, name))
    low, high = profile.minimum, profile.maximum
    if not all(map(math.isfinite, profile.edges)) or not _are_ascending(profile.edges):
        yield "has edges that do not ascend"
    if not _are_ascending(profile.cuts) or not {*profile.cuts} <= {*range(len(profile.edges))}:
        yield "has cuts that are not positions of its edges"
    if profile.value_count and (low is None or high is None or not low <= high):
        yield f"has values, the minimum {low} and the maximum {high}"
    if profile.std is not None and not profile.std >= 0.0:
        yield f"has the standard deviation {profile.std:g}"


def _is_set(profile: ColumnProfile, name: str) -> bool:
    return getattr(profile, name) not in ((), None)


def _are_ascending(values: tuple[float, ...]) -> bool:
    return all(before < after for before, after in pairwise(values))
