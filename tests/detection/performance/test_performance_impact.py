"""Drift is rated by its possible cost: drift that costs nothing is harmless."""

from typing import Any

import pytest

from tests.builders import a_feature_drift, a_finding
from trimtab.contracts.drift import (
    DriftFinding,
    FeatureDrift,
    MultivariateDrift,
    PerformanceChange,
    PerformanceEstimate,
)
from trimtab.detection.performance.performance_impact import (
    PerformanceImpact,
    add_impact,
    compute_overall_loss,
    is_harmful,
)

IMPORTANCE = {"price": 0.4, "shop": 0.01, "noise": -0.002}
FINE = PerformanceChange(metric="r2", reference=0.9, current=0.899, rows=900, degraded=False)
APART = MultivariateDrift(auc=0.7, low=0.68, high=0.72, rows=900, drifted=True)


def drift(name: str, *, distance: float = 0.5, **changes: Any) -> FeatureDrift:
    return a_feature_drift(name, **{"role": "feature", "jensen_shannon": distance, **changes})


def estimate(value: float, *, degraded: bool = False) -> PerformanceEstimate:
    return PerformanceEstimate(
        metric="r2", reference=0.9, estimated=value, rows=900, method="direct_loss",
        degraded=degraded,
    )  # fmt: skip


def rate(*drifts: FeatureDrift, **known: Any) -> tuple[FeatureDrift, ...]:
    performance = known.pop("performance", None)
    return add_impact(
        drifts, PerformanceImpact(importance=IMPORTANCE, **known), performance=performance
    )


def found(*drifts: FeatureDrift, **changes: Any) -> DriftFinding:
    return a_finding(features=drifts, **{"performance": None, **changes})


def test_the_costliest_drift_comes_first_not_the_largest() -> None:
    names = [each.name for each in rate(drift("shop", distance=0.9, psi=3.0), drift("price"))]

    assert names == ["price", "shop"]


def test_impact_is_importance_times_distance_and_never_more_than_importance() -> None:
    (price,) = rate(drift("price", distance=0.25))

    assert price.importance == 0.4
    assert price.impact == pytest.approx(0.1)
    assert rate(drift("price", distance=1.0))[0].impact == pytest.approx(0.4)


def test_a_feature_without_importance_costs_nothing() -> None:
    assert rate(drift("noise"))[0].impact == 0.0


def test_a_stable_feature_costs_nothing_and_comes_last() -> None:
    first, last = rate(drift("price", drifted=False), drift("shop", distance=0.1))

    assert (first.name, last.name, last.impact) == ("shop", "price", 0.0)


def test_a_feature_of_unknown_importance_is_harmful_and_comes_first() -> None:
    first, _ = rate(drift("price"), drift("colour"))

    assert (first.name, first.impact) == ("colour", None)
    assert is_harmful(found(first), tolerance=0.02)


def test_drifted_labels_and_predictions_cost_the_overall_loss() -> None:
    target = drift("revenue", role="target")

    assert rate(target, performance=FINE)[0].impact == pytest.approx(0.001)
    assert rate(target, estimate=estimate(0.87))[0].impact == pytest.approx(0.03)
    assert rate(target)[0].impact is None


def test_a_realised_loss_goes_before_an_expected_one() -> None:
    assert compute_overall_loss(FINE, estimate(0.5)) == pytest.approx(0.001)
    assert compute_overall_loss(None, estimate(0.95)) == 0.0
    assert compute_overall_loss(None, None) is None


@pytest.mark.parametrize(
    ("impact", "harmful"), [(0.0, False), (0.009, False), (0.01, True), (None, True)]
)
def test_a_feature_is_harmful_from_half_the_tolerance(
    impact: float | None, *, harmful: bool
) -> None:
    assert is_harmful(found(drift("price", impact=impact)), tolerance=0.02) is harmful


def test_rows_that_differ_are_harmful_if_the_loss_is_unknown_or_large() -> None:
    assert is_harmful(found(multivariate=APART), tolerance=0.02)
    assert is_harmful(found(multivariate=APART, estimate=estimate(0.885)), tolerance=0.02)
    assert not is_harmful(found(multivariate=APART, performance=FINE), tolerance=0.02)


def test_a_degraded_metric_is_harmful_whatever_drifted() -> None:
    lost = FINE.model_copy(update={"degraded": True})

    assert is_harmful(found(performance=lost), tolerance=0.02)
    assert is_harmful(found(estimate=estimate(0.8, degraded=True)), tolerance=0.02)
    assert not is_harmful(found(performance=FINE, estimate=estimate(0.9)), tolerance=0.02)


def realised(current: float, *, rows: int = 3000, error: float | None = 0.003) -> PerformanceChange:
    return PerformanceChange(
        metric="r2", reference=0.9, current=current, rows=rows, error=error, degraded=False
    )


def test_a_realised_metric_goes_before_an_estimated_one() -> None:
    costly = drift("price", impact=0.4)
    estimated = estimate(0.8, degraded=True)

    assert is_harmful(found(costly, estimate=estimated), tolerance=0.02)
    assert not is_harmful(
        found(costly, estimate=estimated, multivariate=APART, performance=realised(0.89)),
        tolerance=0.02,
    )


@pytest.mark.parametrize(
    "performance",
    [
        realised(0.884),  # within the tolerance, but not surely
        realised(0.89, rows=2600),  # of 3,000: others' labels may tell otherwise
        realised(0.89, error=None),
        realised(0.89, error=0.02),
    ],
)
def test_the_estimate_decides_if_the_realised_metric_is_not_surely_fine(
    performance: PerformanceChange,
) -> None:
    assert is_harmful(found(drift("price", impact=0.4), performance=performance), tolerance=0.02)
