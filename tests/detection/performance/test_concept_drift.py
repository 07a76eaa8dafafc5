"""Concept drift is the loss that neither shifted inputs nor chance explain."""

import pytest

from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate
from trimtab.detection.performance.concept_drift import compute_concept_loss


def lost(loss: float, *, metric: str = "r2", degraded: bool = False) -> PerformanceChange:
    return PerformanceChange(
        metric=metric, reference=0.9, current=0.9 - loss, rows=1000, degraded=degraded
    )


def expected(loss: float, *, error: float = 0.005) -> PerformanceEstimate:
    return PerformanceEstimate(
        metric="r2", reference=0.85, estimated=0.85 - loss, error=error, rows=1000,
        method="direct_loss", degraded=loss > 0.02,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("realised", "explained", "unexplained"),
    [(0.2, 0.0, 0.2), (0.2, 0.15, 0.05), (0.2, 0.2, 0.0), (0.2, 0.3, 0.0), (0.0, -0.1, 0.1)],
)
def test_it_is_the_realised_loss_minus_the_expected_one(
    realised: float, explained: float, unexplained: float
) -> None:
    found = compute_concept_loss(lost(realised), expected(explained), error=0.005)

    assert found == pytest.approx(unexplained)


def test_a_loss_that_chance_explains_is_none() -> None:
    assert compute_concept_loss(lost(0.05), expected(0.0, error=0.04), error=0.04) == 0.0


def test_the_error_of_the_rows_is_not_counted_twice() -> None:
    assert compute_concept_loss(lost(0.1), expected(0.0, error=0.04), error=0.04) == pytest.approx(
        0.1
    )
    assert compute_concept_loss(lost(0.1), expected(0.0, error=0.05)) == 0.0


@pytest.mark.parametrize(
    ("explained", "unexplained"), [(0.0, 0.05), (0.015, 0.035), (-0.03, 0.05), (0.04, 0.0)]
)
def test_a_significant_loss_counts_as_far_as_it_was_not_expected(
    explained: float, unexplained: float
) -> None:
    found = compute_concept_loss(lost(0.05, degraded=True), expected(explained), error=0.04)

    assert found == pytest.approx(unexplained)


def test_it_is_unknown_if_either_loss_is() -> None:
    assert compute_concept_loss(None, expected(0.1)) is None
    assert compute_concept_loss(lost(0.1), None) is None
    assert compute_concept_loss(lost(0.1, metric="roc_auc"), expected(0.1)) is None
