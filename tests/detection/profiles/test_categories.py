"""Columns of many categories: chance alone moves them no more often than others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from trimtab.contracts.comparison import Comparison
from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.drift.table_comparison import compare_profiles
from trimtab.detection.profiles.arrays import FloatArray, IntArray
from trimtab.detection.profiles.categories import MAX_NAMED_CATEGORIES, choose_category_bins
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_categories
from trimtab.detection.profiles.window_profile import WindowProfile

PAIRS = 20
C = Column(name="c", kind=FeatureKind.CATEGORICAL)
DAY = {"start": datetime(2026, 1, 5, tzinfo=UTC), "end": datetime(2026, 1, 6, tzinfo=UTC)}


def uniform(count: int) -> FloatArray:
    return np.full(count, 1.0 / count)


def zipf(count: int) -> FloatArray:
    weights = 1.0 / np.arange(1, count + 1)
    found: FloatArray = weights / weights.sum()
    return found


def profile(counts: IntArray, like: WindowProfile | None = None) -> WindowProfile:
    tally = {f"c{index}": int(count) for index, count in enumerate(counts) if count}
    before, rows = like.columns[0] if like else None, int(counts.sum())
    column = profile_categories(tally, C, rows=rows, like=before)
    return WindowProfile(model="m", window=Window(**DAY, rows=rows), columns=(column,))


def compare_samples(
    before: FloatArray, now: FloatArray, sizes: tuple[int, int], *, count: int = PAIRS
) -> Iterator[Comparison]:
    random = np.random.default_rng(0)
    for _ in range(count):
        reference = profile(random.multinomial(sizes[0], before))
        yield compare_profiles(reference, profile(random.multinomial(sizes[1], now), reference))


@pytest.mark.parametrize(
    "distribution",
    [*map(uniform, (60, 100, 300, 1000)), *map(zipf, (200, 1000))],
    ids=["60", "100", "300", "1000", "zipf 200", "zipf 1000"],
)
@pytest.mark.parametrize(
    "sizes", [(300, 300), (500, 500), (1000, 1000), (10_000, 1000), (1000, 10_000)], ids=str
)
def test_two_samples_from_the_same_distribution_of_many_categories_do_not_drift(
    distribution: FloatArray, sizes: tuple[int, int]
) -> None:
    found = [each.features[0] for each in compare_samples(distribution, distribution, sizes)]

    assert sum(each.drifted for each in found) <= 2
    assert sum(each.test.p <= 0.01 for each in found if each.test) <= 2


def test_two_samples_do_not_drift_where_few_of_many_categories_were_seen() -> None:
    distribution = np.concatenate([np.full(20, 0.045), np.full(100, 0.001)])

    assert (
        sum(
            each.features[0].drifted
            for each in compare_samples(distribution, distribution, (300, 300))
        )
        <= 2
    )


def swap_most_frequent(distribution: FloatArray) -> FloatArray:
    found = distribution.copy()
    found[[0, 1]] = distribution[[1, 0]]
    return found


def concentrate_rare_quarter(distribution: FloatArray) -> FloatArray:
    """Return the distribution with the rarest quarter moved to the next rare quarter."""
    half, last = len(distribution) // 2, len(distribution) * 3 // 4
    found = distribution.copy()
    found[last:] = 0.0
    found[half:last] *= distribution[half:].sum() / distribution[half:last].sum()
    return found


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (zipf(200), swap_most_frequent(zipf(200))),
        (uniform(100), concentrate_rare_quarter(uniform(100))),
        (uniform(300), np.append(0.9 * uniform(299), 0.1)),
    ],
    ids=["the two most frequent change places", "a rare quarter is gone", "one grew"],
)
def test_a_change_among_many_categories_is_drift(before: FloatArray, now: FloatArray) -> None:
    before = np.append(before, np.zeros(len(now) - len(before)))

    assert all(
        each.features[0].drifted for each in compare_samples(before, now, (2000, 2000), count=10)
    )


def test_the_reason_names_no_category_that_has_no_bin_of_its_own() -> None:
    (found,) = compare_samples(
        uniform(300), np.append(0.7 * uniform(299), 0.3), (2000, 2000), count=1
    )

    assert "the share of some rarer categories rose from " in found.features[0].why


def test_bins_do_not_depend_on_the_order_of_the_tally() -> None:
    tally: dict[Any, int] = {f"c{n}": 3 + n % 4 for n in range(200)} | {"x": 900, "y": 700}

    assert choose_category_bins(tally) == choose_category_bins(dict(reversed(tally.items())))
    assert choose_category_bins(tally).categories == ("x", "y")


def test_at_most_fifty_categories_have_a_bin_of_their_own() -> None:
    tally = {f"c{n}": 2 ** max(60 - n, 0) for n in range(200)}

    assert len(choose_category_bins(tally).categories) == MAX_NAMED_CATEGORIES
