import pytest

from evals.scores.statistics import compute_mean_figure, compute_proportion, score_confidence


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(107, 126, 0.777, 0.901), (172, 172, 0.978, 1.0), (0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763)],
)
def test_a_proportion_has_wilsons_interval(hits: int, n: int, low: float, high: float) -> None:
    found = compute_proportion(hits, n)

    assert found.low == pytest.approx(low, abs=0.001)
    assert found.high == pytest.approx(high, abs=0.001)


def test_a_proportion_of_nothing_is_unknown() -> None:
    assert compute_proportion(0, 0).value is None


def test_a_mean_has_a_normal_interval() -> None:
    found = compute_mean_figure([1.0, 2.0, 3.0])

    assert found.value == pytest.approx(2.0)
    assert found.high == pytest.approx(2.0 + 1.96 / 3**0.5, abs=0.001)


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    found = score_confidence([0.95, 0.95, 0.15, 0.15], [True, False, False, False])

    assert found.calibration_error == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)
    assert found.brier == pytest.approx((0.05**2 + 0.95**2 + 2 * 0.15**2) / 4, abs=1e-4)
    assert found.base_brier == pytest.approx(0.1875)
    assert found.auroc == pytest.approx(5 / 6, abs=1e-4)


def test_confidence_that_foretells_nothing_has_no_lower_risk_where_it_is_high() -> None:
    found = score_confidence([0.9, 0.8, 0.2, 0.1], [True, True, False, False])

    assert found.auroc == 1.0
    assert found.risk_coverage[0] == (0.25, 0.0)
    assert found.risk_coverage[-1] == (1.0, 0.5)


def test_no_plans_have_no_score() -> None:
    assert score_confidence([], []).calibration_error is None
