from trimtab.detection.performance.performance_estimation import (
    EstimationReference,
    MetricEstimate,
)


def test_a_loss_that_chance_explains_is_not_degraded() -> None:
    known = EstimationReference(metric="r2", method="direct_loss", reference=0.9, error=0.05)

    assert not known.compare(MetricEstimate(0.82, 0.05, 100), tolerance=0.02).degraded
    assert known.compare(MetricEstimate(0.7, 0.05, 100), tolerance=0.02).degraded
