import numpy as np
import pytest
from scipy import stats

from trimtab.detection.calibration.extreme_values import estimate_upper_quantile


def test_a_quantile_that_many_values_exceed_is_empirical() -> None:
    values = np.random.default_rng(1).exponential(size=1000)

    assert estimate_upper_quantile(values, 0.1) == (np.quantile(values, 0.9), "empirical")


@pytest.mark.parametrize("alpha", [1e-3, 1e-4, 1e-5])
def test_the_tail_of_a_thousand_values_is_extrapolated(alpha: float) -> None:
    found = [
        estimate_upper_quantile(stats.chi2.rvs(9, size=1000, random_state=seed), alpha)
        for seed in range(20)
    ]

    assert {method for _, method in found} == {"pareto"}
    typical = float(np.median([value for value, _ in found]))
    assert stats.chi2.isf(alpha, 9) * 0.9 < typical < stats.chi2.isf(alpha, 9) * 1.4


def test_few_values_get_a_gumbel_distribution() -> None:
    values = np.random.default_rng(2).gumbel(size=30)

    value, method = estimate_upper_quantile(values, 1 / 365)

    assert method == "gumbel"
    assert 3.0 < value < 12.0


def test_the_estimate_is_never_below_the_empirical_quantile() -> None:
    values = np.append(np.random.default_rng(3).uniform(size=999), 50.0)

    value, _ = estimate_upper_quantile(values, 1e-4)

    assert value >= np.quantile(values, 1 - 1e-4)


@pytest.mark.parametrize("values", [np.zeros(1000), np.ones(5), np.array([0.0] * 999 + [1.0])])
def test_values_that_hardly_differ_have_a_finite_quantile(values: np.ndarray) -> None:
    value, _ = estimate_upper_quantile(values, 1e-5)

    assert np.isfinite(value)
