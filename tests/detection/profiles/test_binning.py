"""Bins of values that are rounded to another precision."""

import numpy as np
import pytest

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.effect_sizes import compute_effect_sizes
from trimtab.detection.drift.significance import run_significance_test
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.binning import choose_edges
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_numbers

X = Column(name="x", kind=FeatureKind.NUMERIC)
RANDOM = np.random.default_rng(0)


def round_to_32_bits(values: FloatArray) -> FloatArray:
    return values.astype("float32").astype("float64")


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.choice([0.1, 0.3, 0.4, 0.7, 0.9], 2000),
        -RANDOM.choice([0.1, 0.3, 0.4, 0.7, 0.9], 2000),
        np.round(RANDOM.gamma(2, 3, 5000), 1),
        np.where(RANDOM.random(5000) < 0.4, 0.3, RANDOM.gamma(2, 3, 5000)),
        RANDOM.normal(0, 1, 5000),
        np.full(300, 0.7),
        RANDOM.choice([1e-30, 3.3e-30, 1e30], 300),
    ],
    ids=[
        "ratings",
        "negative",
        "tenths",
        "a frequent value",
        "continuous",
        "constant",
        "huge and tiny",
    ],
)
def test_rounding_to_32_bits_is_no_drift(values: FloatArray) -> None:
    for before, now in ((values, round_to_32_bits(values)), (round_to_32_bits(values), values)):
        reference = profile_numbers(before, X, rows=len(before))
        current = profile_numbers(now, X, rows=len(now), like=reference)

        assert compute_effect_sizes(reference, current).psi < 0.01
        assert run_significance_test(reference, current).p_value > 0.5


def test_the_order_of_a_sum_is_no_drift() -> None:
    reference = profile_numbers(np.full(300, 0.1 + 0.2), X, rows=300)
    current = profile_numbers(np.full(300, 0.3), X, rows=300, like=reference)

    assert compute_effect_sizes(reference, current).psi == 0.0


@pytest.mark.parametrize("value", [0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.7e308])
def test_a_constant_has_a_bin_without_its_neighbours(value: float) -> None:
    found = choose_edges(np.full(10, value)).edges

    assert np.isfinite(found).all()
    assert value <= found[int(np.searchsorted(found, value))]


@pytest.mark.parametrize("other", [1.0 + 1e-7, np.nextafter(1.0, 2.0), 1.0 + 1e-12])
def test_frequent_values_that_lie_close_together_keep_bins_of_their_own(other: float) -> None:
    reference = profile_numbers(np.repeat([1.0, other], 200), X, rows=400)
    current = profile_numbers(np.full(400, other), X, rows=400, like=reference)

    assert compute_effect_sizes(reference, current).psi > 1.0
