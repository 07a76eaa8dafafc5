import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from trimtab.detection.drift.tail_probabilities import (
    compute_binomial_tail,
    compute_chi_square_tail,
    compute_kolmogorov_tail,
)


@settings(deadline=None)
@given(st.floats(0.0, 2000.0), st.integers(1, 600))
def test_the_tail_of_chi_squared_is_that_of_scipy(statistic: float, degrees: int) -> None:
    expected = special.chdtrc(degrees, statistic)

    assert compute_chi_square_tail(statistic, degrees) == pytest.approx(
        expected, rel=1e-9, abs=1e-300
    )


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 5001])
def test_the_tail_of_chi_squared_begins_at_one_and_ends_at_zero(degrees: int) -> None:
    assert compute_chi_square_tail(0.0, degrees) == 1.0
    assert compute_chi_square_tail(1e-9, degrees) == pytest.approx(1.0, abs=1e-4)
    assert compute_chi_square_tail(1e6, degrees) == 0.0


@settings(deadline=None)
@given(st.floats(0.0, 30.0))
def test_the_tail_of_kolmogorov_is_that_of_scipy(statistic: float) -> None:
    expected = special.kolmogorov(statistic)

    assert compute_kolmogorov_tail(statistic) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("statistic", [0.01, 0.2, 0.5, 0.8, 0.999999, 1.0, 1.000001, 1.5, 3.0, 9.0])
def test_both_series_of_kolmogorov_meet(statistic: float) -> None:
    expected = special.kolmogorov(statistic)

    assert compute_kolmogorov_tail(statistic) == pytest.approx(expected, rel=1e-13)


@settings(deadline=None)
@given(st.data(), st.integers(1, 100_000), st.floats(0.0, 1.0))
def test_the_tail_of_the_binomial_is_that_of_scipy(
    data: st.DataObject, trials: int, probability: float
) -> None:
    successes = data.draw(st.integers(1, trials))
    expected = special.bdtrc(successes - 1, trials, probability)

    found = compute_binomial_tail(successes, trials, probability)

    assert found == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("trials", [10_000, 10_000_000, 1_000_000_000])
@pytest.mark.parametrize("deviations", [-3.0, 0.5, 4.0, 6.0])
def test_the_tail_of_the_binomial_holds_for_many_trials(trials: int, deviations: float) -> None:
    probability = 0.003
    spread = (trials * probability * (1 - probability)) ** 0.5
    successes = round(trials * probability + deviations * spread)
    expected = special.bdtrc(successes - 1, trials, probability)

    found = compute_binomial_tail(successes, trials, probability)

    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("successes", "trials", "probability", "expected"),
    [
        (0, 10, 0.3, 1.0),
        (11, 10, 0.3, 0.0),
        (3, 10, 0.0, 0.0),
        (3, 10, 1.0, 1.0),
        (10, 10, 0.5, 2**-10),
    ],
)
def test_the_tail_of_the_binomial_at_its_ends(
    successes: int, trials: int, probability: float, expected: float
) -> None:
    assert compute_binomial_tail(successes, trials, probability) == pytest.approx(expected)
