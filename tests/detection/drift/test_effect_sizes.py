from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from tests.detection.columns import profile_values
from trimtab.contracts.comparison import EffectSizes
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.effect_sizes import (
    compute_effect_sizes,
    compute_jensen_shannon,
    compute_psi,
    compute_total_variation,
)
from trimtab.detection.drift.wasserstein import compute_kolmogorov_distance, compute_wasserstein
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import ColumnProfile

NUMBER = Column(name="x", kind=FeatureKind.NUMERIC)
WORD = Column(name="word", kind=FeatureKind.CATEGORICAL)
Rows = Any


def pair(before: Rows, now: Rows, column: Column = NUMBER) -> tuple[ColumnProfile, ColumnProfile]:
    reference = profile_values(column, before)
    return reference, profile_values(column, now, like=reference)


def measure(before: Rows, now: Rows, column: Column = NUMBER) -> EffectSizes:
    return compute_effect_sizes(*pair(before, now, column))


Draw = Callable[[np.random.Generator], Rows]

DISTRIBUTIONS: dict[str, tuple[Draw, Draw]] = {
    "shift": (lambda c: c.normal(0, 1, 20_000), lambda c: c.normal(0.7, 1, 10_000)),
    "spread": (lambda c: c.normal(0, 1, 20_000), lambda c: c.normal(0, 1.8, 10_000)),
    "growth": (lambda c: c.gamma(2, 3, 20_000), lambda c: 1.4 * c.gamma(2, 3, 10_000)),
    "tail": (lambda c: c.lognormal(0, 1, 20_000), lambda c: c.lognormal(0.3, 1.2, 10_000)),
    "counts": (lambda c: c.poisson(3, 20_000), lambda c: c.poisson(4, 10_000)),
    "frequent value": (
        lambda c: np.where(c.random(20_000) < 0.4, 0.0, c.normal(5, 1, 20_000)),
        lambda c: np.where(c.random(10_000) < 0.2, 0.0, c.normal(5, 1, 10_000)),
    ),
    "far": (lambda c: c.normal(0, 1, 20_000), lambda c: c.normal(5000, 10, 10_000)),
    "beyond": (lambda c: c.uniform(0, 1, 20_000), lambda c: c.uniform(-0.5, 1.5, 10_000)),
}


@pytest.mark.parametrize("change", DISTRIBUTIONS)
def test_distances_of_profiles_agree_with_those_of_rows(change: str) -> None:
    random = np.random.default_rng(7)
    before, now = (draw(random) for draw in DISTRIBUTIONS[change])

    reference, current = pair(before, now)

    exact = stats.wasserstein_distance(before, now) / np.std(before)
    assert compute_wasserstein(reference, current) == pytest.approx(exact, rel=0.01, abs=0.01)
    assert compute_kolmogorov_distance(reference, current) == pytest.approx(
        stats.ks_2samp(before, now).statistic, abs=0.01
    )


def test_distances_are_exact_if_values_lie_on_the_edges() -> None:
    random = np.random.default_rng(7)
    before, now = random.integers(0, 20, 5000), random.binomial(19, 0.4, 3000)

    reference, current = pair(before, now)

    exact = stats.wasserstein_distance(before, now) / np.std(before)
    assert compute_wasserstein(reference, current) == pytest.approx(exact, abs=1e-3)
    assert compute_kolmogorov_distance(reference, current) == pytest.approx(
        stats.ks_2samp(before, now).statistic, abs=1e-12
    )


def test_the_distance_of_distant_values_is_that_of_the_means() -> None:
    found = compute_wasserstein(*pair(np.arange(100.0), np.arange(100.0) * 1e6 + 1e9))

    assert found == pytest.approx((1e9 + 49.5e6 - 49.5) / np.std(np.arange(100.0)), rel=1e-6)


def test_a_reference_that_does_not_vary_has_no_unit_of_distance() -> None:
    assert measure([3.0] * 100, [4.0] * 100).wasserstein is None


shares = st.lists(st.integers(0, 1000), min_size=8, max_size=8).filter(any).map(
    lambda counts: np.array(counts) / sum(counts)
)  # fmt: skip


@settings(deadline=None)
@given(shares, shares)
def test_effect_sizes_are_symmetric_bounded_and_agree_with_scipy(one: Rows, other: Rows) -> None:
    assert compute_psi(one, other) == pytest.approx(compute_psi(other, one))
    assert compute_jensen_shannon(one, other) == pytest.approx(compute_jensen_shannon(other, one))
    expected = np.nan_to_num(distance.jensenshannon(one, other, base=2))
    assert compute_jensen_shannon(one, other) == pytest.approx(expected, abs=1e-7)
    assert 0.0 <= compute_jensen_shannon(one, other) <= 1.0
    assert 0.0 <= compute_total_variation(one, other) <= 1.0
    # Pinsker's inequality and its counterpart, for the Jensen-Shannon distance (Lin, 1991)
    assert compute_jensen_shannon(one, other) ** 2 <= compute_total_variation(one, other) + 1e-9


numbers = st.lists(st.floats(-1e6, 1e6, allow_nan=False, width=32), min_size=30, max_size=200)
words = st.lists(st.sampled_from("abcdef"), min_size=30, max_size=200)


@settings(deadline=None)
@given(numbers)
def test_equal_numbers_have_no_effect_size(values: list[float]) -> None:
    found = measure(values, values[::-1])

    assert (found.psi, found.jensen_shannon) == (0.0, 0.0)
    assert found.wasserstein is None or found.wasserstein == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None)
@given(words)
def test_equal_categories_have_no_effect_size(values: list[str]) -> None:
    assert measure(values, values[::-1], WORD) == EffectSizes(
        psi=0.0, jensen_shannon=0.0, total_variation=0.0
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([2.0**-10, 0.5, 2.0, 1024.0, 2.0**30]))
def test_effect_sizes_do_not_depend_on_the_unit(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    before, now = random.gamma(2, 1, 500), random.gamma(2.5, 1, 300)

    plain, scaled = measure(before, now), measure(scale * before, scale * now)

    assert scaled.psi == pytest.approx(plain.psi)
    assert scaled.jensen_shannon == pytest.approx(plain.jensen_shannon)
    assert scaled.wasserstein == pytest.approx(plain.wasserstein)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_more_rows_of_the_same_distribution_do_not_raise_an_effect_size(seed: int) -> None:
    random = np.random.default_rng(seed)
    before = random.normal(0, 1, 20_000)

    def typical(rows: int) -> Rows:
        found = [measure(before, random.normal(0, 1, rows)) for _ in range(5)]
        return np.median([(e.psi, e.jensen_shannon, e.wasserstein or 0.0) for e in found], axis=0)

    assert (typical(20_000) <= typical(300)).all()


def test_the_size_of_a_true_change_does_not_depend_on_the_rows() -> None:
    random = np.random.default_rng(3)

    found = [
        measure(random.normal(0, 1, rows), random.normal(0.5, 1, rows)).psi
        for rows in (2000, 20_000, 200_000)
    ]

    assert found == pytest.approx([0.25] * 3, abs=0.06)
