import numpy as np
import pytest
from scipy import stats

from trimtab.detection.calibration.extreme_values import estimate_upper_quantile


def test_a_quantile_that_many_values_exceed_is_read_off() -> None:
    values = np.random.default_rng(1).exponential(size=1000)

    assert estimate_upper_quantile(values, 0.1) == (np.quantile(values, 0.9), "empirical")


@pytest.mark.parametrize("chance", [1e-3, 1e-4, 1e-5])
def test_the_tail_of_a_thousand_values_is_extrapolated(chance: float) -> None:
    found = [
        estimate_upper_quantile(stats.chi2.rvs(9, size=1000, random_state=seed), chance)
        for seed in range(20)
    ]

    assert {method for _, method in found} == {"pareto"}
    typical = float(np.median([value for value, _ in found]))
    assert stats.chi2.isf(chance, 9) * 0.9 < typical < stats.chi2.isf(chance, 9) * 1.4


def test_few_values_get_a_law_without_a_shape() -> None:
    values = np.random.default_rng(2).gumbel(size=30)

    value, method = estimate_upper_quantile(values, 1 / 365)

    assert method == "gumbel"
    assert 3.0 < value < 12.0


def test_what_was_seen_is_never_undercut() -> None:
    values = np.append(np.random.default_rng(3).uniform(size=999), 50.0)

    value, _ = estimate_upper_quantile(values, 1e-4)

    assert value >= np.quantile(values, 1 - 1e-4)


@pytest.mark.parametrize("values", [np.zeros(1000), np.ones(5), np.array([0.0] * 999 + [1.0])])
def test_values_that_hardly_differ_have_an_answer(values: np.ndarray) -> None:
    value, _ = estimate_upper_quantile(values, 1e-5)

    assert np.isfinite(value)
